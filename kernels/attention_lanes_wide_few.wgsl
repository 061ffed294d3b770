// `attention_lanes_few` with room for heads of up to 256 numbers. Room that is not used costs time on some adapters.
enable subgroups;
const MOST = 64u;
//! include lib/attention_lanes_few.wgsl
