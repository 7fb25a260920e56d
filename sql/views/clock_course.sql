-- Clocks, each with its course: of every event what a status rests on, the opening one first (a
-- merged cause may be older), as kind, day in Beijing, cause, working days, last day. A day is the
-- number of days since 2000-01-01, which costs less to write and to read than its digits.
-- Clocks of one promise and one course stand alike, whatever the calendar and the moment.
create view ledger.clock_course as
select
    clock.clock_id,
    clock.profile,
    clock.promise,
    clock.object_kind,
    clock.object_id,
    clock.holder_org,
    clock.closed_at,
    string_agg(
        event.kind || ',' || cast(event.at at time zone 'Asia/Shanghai' as date) - date '2000-01-01'
        || ',' || coalesce(event.cause, '') || ',' || event.working_days
        || ',' || coalesce(cast(event.due_on - date '2000-01-01' as text), ''),
        ';' order by event.kind <> 'opened', event.at
    ) as course
from ledger.clock
inner join ledger.clock_event as event on event.clock_id = clock.clock_id
group by clock.clock_id
