-- Clocks that run, each with its course: of every event what a status rests on, the opening one
-- first (a merged cause may be older), as kind, day in Beijing, cause, working days, last day.
-- Clocks of one promise and one course stand alike, whatever the calendar and the moment.
create view ledger.clock_course as
select
    clock.clock_id,
    clock.profile,
    clock.promise,
    clock.object_kind,
    clock.object_id,
    clock.holder_org,
    string_agg(
        event.kind || ',' || to_char(event.at at time zone 'Asia/Shanghai', 'YYYY-MM-DD')
        || ',' || coalesce(event.cause, '') || ',' || event.working_days
        || ',' || coalesce(to_char(event.due_on, 'YYYY-MM-DD'), ''),
        ';' order by event.kind <> 'opened', event.at
    ) as course
from ledger.clock
inner join ledger.clock_event as event on event.clock_id = clock.clock_id
where clock.closed_at is null
group by clock.clock_id
