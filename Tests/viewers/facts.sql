-- Facts of a recording in Perfetto's tables: the same as facts.py tells from the events.
with goroutine as (
  select utid, cast(substr(name, 2) as int) as number from thread where name glob 'G[0-9]*'
)
select 'running', number, sum(dur) from thread_state join goroutine using (utid) where state = 'Running' group by number
union all
select 'waits', substr(blocked_function, 1, instr(blocked_function || ' ← ', ' ← ') - 1) as reason, count(*) from thread_state
where state = 'S' and blocked_function is not null group by reason
union all
select 'wakes', waker.number, count(*) from thread_state join goroutine as waker on waker.utid = waker_utid group by waker.number
union all
select category, name, count(*) from slice where category in ('region', 'range') group by category, name
union all
select 'task', name, count(*) from slice where category = 'task' and name not like 'child: %' group by name
union all
select 'log', '', count(*) from slice
where category = 'log' and track_id in (select id from track where name = 'logs') having count(*) > 0
union all
select 'sample', '', count(*) from perf_sample having count(*) > 0;
