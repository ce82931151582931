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
    #[cfg(feature = "isahc")]
    mod isahc;
    #[cfg(feature = "ureq")]
    mod ureq;
    #[cfg(feature = "ureq-2")]
    mod ureq_2;
}
