-- What Perfetto's tables hold of a trace, to be compared with its truth by truth.py: what, name, goroutine
-- or proc, how many, their whole duration. The two JSON formats and the native one put it on other tracks.
with named as (
  select s.*, t.name as row, p.name as process, th.tid as tid, parent.name as above, grand.name as top
  from slice s join track t on t.id = s.track_id
  left join thread_track tt on tt.id = t.id left join thread th using (utid) left join process p using (upid)
  left join track parent on parent.id = t.parent_id left join track grand on grand.id = parent.parent_id
), placed as (
  select *, coalesce(process, top, above) as place, case when process is null then row else
    (select name from thread where utid = (select utid from thread_track where id = track_id)) end as label
  from named
), numbered as (select *, cast(substr(label, 2) as int) as number from placed)
select 'state', name, number, count(*), sum(dur) from numbered
where place = 'Goroutines' and category is null and label glob 'G[0-9]*' and label not like '% regions'
group by name, number
union all
select 'proc', '', number, count(*), sum(dur) from numbered
where place = 'Procs' and category is null and label glob 'P[0-9]*' and name glob 'G[0-9]*' group by number
union all
select category, name, 0, count(*), sum(dur) from numbered
where category in ('region', 'range') group by category, name
union all
select 'log', name, 0, count(*), 0 from numbered
where category = 'log' and place is not 'Tasks' group by name
union all
select 'sample', '', 0, n, 0 from (
  select (select count(*) from numbered where category = 'sample') + (select count(*) from perf_sample) as n)
where n > 0
union all
select 'task', name, 0, count(*), sum(dur) from numbered
where category = 'task' and name not like 'child: %'
  and coalesce(extract_arg(arg_set_id, 'args.task'), extract_arg(arg_set_id, 'debug.task')) is not null group by name
union all
-- Natively the scheduler tells states and procs, too. What goes on at the end has no duration: its beginning is told.
select iif(dur < 0, 'open', 'scheduled'), case state when 'Running' then 'running' when 'R' then 'runnable'
  when 'D' then 'syscall' else 'waiting' || coalesce(
    ': ' || substr(blocked_function, 1, instr(blocked_function || ' ← ', ' ← ') - 1), '') end as state_name,
  cast(substr(name, 2) as int) as goroutine, count(*), sum(iif(dur < 0, ts, dur))
from thread_state join thread using (utid) where name glob 'G[0-9]*' and state in ('Running', 'R', 'R+', 'D', 'S')
group by dur < 0, state_name, goroutine
union all
select 'cpu', '', cpu, count(*), sum(dur) from sched join thread using (utid) where name glob 'G[0-9]*' group by cpu
union all
select 'flow', '', 0, n, 0 from (select count(*) as n from flow) where n > 0;
