//! The origin of segments: set in code, and detected from stand-ins for the metadata services. A program that detects
//! its origin runs in a child process, because environment variables name the services.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * An unknown plugin leaves other settings unset. Here detectors are a type.
//! * Any machine with a host name seems to be a container of ECS:
//!   `detected::without_a_metadata_service_nothing_is_detected`.
//! * The last plugin names the origin: `detected::ecs_goes_before_ec2`.
//! * The program waits for the metadata services: `detected::segments_do_not_wait_for_detection`.
//! * A wrong answer raises: `detected::a_wrong_answer_is_logged_once`.

mod detected;
mod given;
mod program;
mod service;
