//! What a traced call costs; see `overhead.rs`.
