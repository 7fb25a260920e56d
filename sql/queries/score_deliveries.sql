-- Deliveries of a period by entry: due by the update cycle, and kept. Every cycle that began is
-- due; a publication within the limit of the one before keeps it, one that came later keeps none.
-- Limits of a day or more are days in Beijing, so that minutes of a nightly run decide nothing.
-- Nothing is due before this installation had the entry: its first run, whatever came of it, or its
-- first publication, whichever is earlier. On that day a daily one is due, an hourly one an hour on.
-- Moments are days since 1970, and equal when less than a ten thousandth of a second apart.
with promised as (
    select entry_id, days
    from
        unnest(
            string_to_array(:entries, ','),
            cast(string_to_array(:days, ',') as double precision[])
        ) as p (entry_id, days)
    where cast(:entry_ids as text[]) is null or entry_id = any(:entry_ids)
),
begun as (
    select
        entry_id,
        days,
        date_part('epoch', least(
            (select min(run.started_at) from ledger.run as run where run.object_id = entry_id),
            (
                select min(done.committed_at) from ledger.library_commit as done
                where done.object_id = entry_id
            )
        ) at time zone 'Asia/Shanghai') / 86400 as at_days
    from promised
),
expected as materialized (
    select
        entry_id,
        days,
        greatest(
            case when days >= 1 then floor(at_days) - days else at_days end, :first_day - days
        ) as from_day
    from begun
),
publication as (
    select done.object_id as entry_id, done.committed_at
    from ledger.library_commit as done
    where
        done.layer = 'unified'
        and done.committed_at >= :start and done.committed_at < :until
    union all
    select promised.entry_id, before.committed_at
    from promised
    cross join lateral (
        select done.committed_at
        from ledger.library_commit as done
        where
            done.object_id = promised.entry_id and done.layer = 'unified'
            and done.committed_at >= :start - interval '400 days' and done.committed_at < :start
        order by done.committed_at desc
        limit 1
    ) as before
),
counted as (
    select
        entry_id,
        days,
        from_day,
        date_part('epoch', committed_at at time zone 'Asia/Shanghai') / 86400 as at_days
    from publication
    inner join expected using (entry_id)
),
placed as (
    select
        entry_id,
        days,
        from_day,
        case when days >= 1 then floor(at_days) else at_days end as at_days
    from counted
),
gap as (
    select
        entry_id,
        days,
        at_days,
        at_days - greatest(
            lag(at_days) over (partition by entry_id order by at_days), from_day
        ) as days_since
    from placed
),
came as (
    select
        entry_id,
        max(at_days) as last_at,
        coalesce(sum(ceil(days_since / days - 1e-9)) filter (
            where at_days >= :first_day and days_since > 0
        ), 0) as due,
        count(*) filter (
            where at_days >= :first_day and days_since > 0 and days_since <= days + 1e-9
        ) as kept
    from gap
    group by entry_id
)
select
    entry_id,
    kept,
    (
        due + floor(greatest(
            case when days >= 1 then floor(:until_day) - 1 else :until_day end
            - greatest(last_at, from_day), 0
        ) / days)
    )::bigint as due
from came
inner join expected using (entry_id)
