-- How late the flights from one New York airport have been landing, seen at each landing.
select
    origin,
    landed,
    avg(arr_delay) over recent as origin_delay,
    avg(late) over recent as origin_late_share,
    count(*) over recent as origin_landings
from flights
where landed is not null
window recent as (partition by origin order by landed range between interval 2 hours preceding and current row)
