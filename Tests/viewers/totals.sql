-- What stays the same when spans are merged, in Perfetto's tables: how many regions, tasks, logs and ranges, and how
-- long goroutines ran. Of a recording in parts, the running time and the logs add up to those of the whole.
with placed as (
  select s.*, coalesce(p.name, grand.name, parent.name) as place
  from slice s join track t on t.id = s.track_id
  left join thread_track tt on tt.id = t.id left join thread th using (utid) left join process p using (upid)
  left join track parent on parent.id = t.parent_id left join track grand on grand.id = parent.parent_id
)
select 'running', coalesce(sum(case when name = 'running' then dur else
  coalesce(extract_arg(arg_set_id, 'args.running_ns'), extract_arg(arg_set_id, 'debug.running_ns')) end), 0)
from placed where place = 'Goroutines' and category is null
union all
select category, count(*) from placed
where category in ('region', 'range') or category = 'log' and place is not 'Tasks'
  or category = 'task' and name not like 'child: %' group by category;
