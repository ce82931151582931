//! The methods that may perform an HTTP call, as types: `Traceable<methods::send>`.

/// Calls a macro with the name of each method.
macro_rules! for_each_method {
    ($callback:ident) => {
        $callback!(
            any,
            call,
            execute,
            execute_with_extensions,
            get,
            oneshot,
            request,
            run,
            send,
            send_async,
            send_body,
            send_bytes,
            send_empty,
            send_form,
            send_json,
            send_request,
            send_stream,
            send_string,
            try_send_request,
        );
    };
}

/// One type for each name.
macro_rules! methods {
    (any, $($method:ident),* $(,)?) => {
        /// Any method or function where the call is marked with `#[xray(trace)]`.
        #[derive(Debug, Clone, Copy)]
        #[expect(non_camel_case_types, reason = "it stands beside the methods' names")]
        pub enum any {}

        $(
            #[doc = concat!("The method `", stringify!($method), "`.")]
            #[derive(Debug, Clone, Copy)]
            #[expect(non_camel_case_types, reason = "it is the method's name")]
            pub enum $method {}
        )*
    };
}

for_each_method!(methods);
pub(crate) use for_each_method;
