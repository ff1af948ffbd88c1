-- How late flights from New York have been landing at one destination, seen at each landing.
select
    dest,
    landed,
    avg(arr_delay) over recent as dest_delay,
    count(*) over recent as dest_landings
from flights
where landed is not null
window recent as (partition by dest order by landed range between interval 6 hours preceding and current row)
