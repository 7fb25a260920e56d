// Questions before a form is sent, and charts from their data; no page has a script of its own.
(function () {
  "use strict";
  document.addEventListener("submit", function (event) {
    var question = event.submitter && event.submitter.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  function draw(root) {
    root.querySelectorAll(".chart:not([data-drawn])").forEach(function (place) {
      var options = JSON.parse(place.dataset.chart);
      place.style.height = place.dataset.height + "px";
      place.dataset.drawn = "yes";
      options.animation = false;
      if (options.tooltip) options.tooltip.renderMode = "richText"; // no inline styles: strict CSP
      var chart = window.echarts.init(place, null, { renderer: "canvas" });
      chart.setOption(options);
      chart.on("click", function (event) {
        if (event.data && event.data.href) window.location.assign(event.data.href);
      });
      window.addEventListener("resize", function () { chart.resize(); });
    });
  }
  document.addEventListener("DOMContentLoaded", function () { draw(document); });
  document.addEventListener("htmx:afterSwap", function (event) { draw(event.target); });
})();
