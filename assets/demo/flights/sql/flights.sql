-- One row a flight: when it should leave and arrive (UTC), what is known of it at that moment, and how it ended.
--
-- Columns that are known only afterwards: landed, arr_delay, late. The model must not have them as features.
with placed as (
    select
        f.*,
        -- The hour is UTC in the airline's data; minutes are the same in every zone that flights leave from.
        f.time_hour + to_minutes(f.minute) as sched_dep,
        -- Four destinations in Puerto Rico and the Virgin Islands are not in the airports table.
        coalesce(a.tzone, 'America/Puerto_Rico') as zone,
        -- HHMM on the destination's clock; 2400 is the midnight that ends the day.
        to_hours(f.sched_arr_time // 100) + to_minutes(f.sched_arr_time % 100) as clock
    from flights_raw f
    left join airports a on a.faa = f.dest
),
timed as (
    select
        *,
        -- The first moment after departure at which the destination's clock shows that time: no flight takes a day.
        timezone(zone, date_trunc('day', timezone(zone, sched_dep)) + clock) as same_day,
        timezone(zone, date_trunc('day', timezone(zone, sched_dep)) + to_days(1) + clock) as next_day
    from placed
),
arriving as (
    select *, case when same_day > sched_dep then same_day else next_day end as sched_arr
    from timed
)
select
    f.sched_dep,
    f.carrier,
    f.flight,
    f.origin,
    f.dest,
    f.tailnum,
    cast(f.hour * 60 + f.minute as double) as minute_of_day,
    dayname(make_date(f.year, f.month, f.day)) as weekday,
    date_diff('minute', f.sched_dep, f.sched_arr)::double as sched_minutes,
    cast(f.distance as double) as distance,
    -- How crowded the hour is: the timetable is public beforehand.
    count(*) over (partition by f.origin, f.time_hour)::double as departures_that_hour,
    cast(f.year - p.year as double) as plane_age,
    cast(p.seats as double) as seats,
    f.sched_arr,
    f.sched_arr + to_minutes(f.arr_delay) as landed,
    cast(f.arr_delay as double) as arr_delay,
    -- Cancelled and diverted flights have no arrival delay, so they have no label.
    cast(f.arr_delay >= 15 as integer) as late
from arriving f
left join planes p on p.tailnum = f.tailnum
