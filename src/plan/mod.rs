//! What a workflow means for the instances that are there.
