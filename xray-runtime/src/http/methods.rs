//! The methods that may perform an HTTP call, as types: `Traceable<methods::send>`.

/// One type for each name.
macro_rules! methods {
    ($($method:ident),* $(,)?) => {$(
        #[doc = concat!("The method `", stringify!($method), "`.")]
        #[derive(Debug, Clone, Copy)]
        #[expect(non_camel_case_types, reason = "it is the method's name")]
        pub enum $method {}
    )*};
}

methods!(send, execute, request, call, oneshot, send_request, try_send_request);
