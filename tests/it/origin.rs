//! The origin of segments: set in code, or detected from mock metadata services. Detection runs in a child process,
//! because the addresses of the services come from environment variables.
//!
//! Cases that the X-Ray SDK for Python 2.15.0 does not handle, each with the test of this crate that covers it:
//!
//! * An unknown plugin name leaves other settings unset. This is not possible here, because detectors are values of
//!   `origin::Detector` and not strings.
//! * Any machine with a host name is reported as an ECS container:
//!   `detected::without_a_metadata_service_nothing_is_detected`.
//! * The last plugin wins: `detected::ecs_goes_before_ec2`.
//! * Startup blocks on the metadata services: `detected::segments_do_not_wait_for_detection`.
//! * An invalid response raises an exception: `detected::a_wrong_answer_is_logged_once`.

mod detected;
mod given;
mod program;
mod service;
