// Chains equal entries of an index list: links[k] = (1 if no earlier entry equals entry k, the next entry equal to it or K).
// One lane an entry, which looks through the list: K² reads in all, but of single numbers, where the rows have many.
// Bindings: ids [K] (read), links [K, 2] (written).

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> links: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) { return; }
  let id = ids[i];
  var earlier = 0u;
  while (earlier < i && ids[earlier] != id) { earlier++; }
  var next = i + 1u;
  while (next < params.count && ids[next] != id) { next++; }
  links[i] = vec2u(u32(earlier == i), next);
}
