-- Of the clocks of some groups, each with its last day: those between two places in the order of
-- last days, and the first few of each day from one to another. `number` is that of the group.
with chosen as materialized (
    select *
    from jsonb_to_recordset(cast(:groups as jsonb)) as given (
        number int, profile text, promise text, holder_org text, course text, due_on date
    )
),
placed as (
    select
        one.clock_id,
        chosen.number,
        chosen.due_on,
        row_number() over (order by chosen.due_on, one.clock_id) as place,
        row_number() over (partition by chosen.due_on order by one.clock_id) as place_of_day
    from ledger.clock_course as one
    inner join chosen using (profile, promise, holder_org, course)
    where one.closed_at is null
)
select clock_id, number, place between :first and :last as is_listed,
    due_on between :first_day and :last_day and place_of_day <= :of_a_day as is_of_a_day
from placed
where
    place between :first and :last
    or (due_on between :first_day and :last_day and place_of_day <= :of_a_day)
order by place
