//! Where a program runs: given by hand, and detected, with stand-ins for the metadata services. A program that detects is
//! a process of its own (this program run again), because it finds the services by its environment.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.1 `configure`, an unknown plugin leaves the rest undone: detectors are a type
//! * 2.10 plugins, any machine with a host name is a container of ECS: `detected::nothing_where_nothing_is`
//! * 2.10 plugins, the last of them names the origin: `detected::ecs_goes_before_ec2`
//! * 2.10 plugins, the program waits for them: `detected::nobody_waits_for_a_service`
//! * 6.11, work at the import, wrong values raise: `detected::what_is_no_answer_is_one_warning`

mod detected;
mod given;
mod program;
mod service;
