-- How late the flights of one carrier have been landing, seen at each landing.
select
    carrier,
    landed,
    avg(arr_delay) over recent as carrier_delay,
    avg(late) over recent as carrier_late_share,
    count(*) over recent as carrier_landings
from flights
where landed is not null
window recent as (partition by carrier order by landed range between interval 4 hours preceding and current row)
