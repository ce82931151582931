//! What the calls of each client record and send, against a real service.

mod support;

mod clients {
    #[macro_use]
    mod checks;

    #[cfg(feature = "attohttpc")]
    mod attohttpc;
    #[cfg(feature = "awc")]
    mod awc;
    #[cfg(feature = "hyper")]
    mod hyper;
    #[cfg(feature = "hyper-0-14")]
    mod hyper_0_14;
    #[cfg(feature = "isahc")]
    mod isahc;
    mod reqwest;
    #[cfg(feature = "reqwest-middleware")]
    mod reqwest_middleware;
    #[cfg(feature = "ureq")]
    mod ureq;
    #[cfg(feature = "ureq-2")]
    mod ureq_2;
}
