//! The types that identify methods, generated from the table of calls in `xray-macros-core`.

/// Defines the module `methods`. Its page lists the types in one line, so the types have no pages of their own. The
/// arities are used only by `private::methods`.
macro_rules! methods {
    ($($method:ident($($arity:literal)*)),* $(,)?) => {
        /// Types that identify methods which may perform an HTTP call: `Traceable<methods::send>`.
        ///
        /// There is a type for each method of the table in [`traced_http`](macro@crate::traced_http), named like the
        /// method:
        #[doc = concat!($("`", stringify!($method), "` "),*)]
        pub mod methods {
            $(
                #[doc(hidden)]
                #[derive(Debug, Clone, Copy)]
                #[expect(non_camel_case_types, reason = "it is the method's name")]
                pub enum $method {}
            )*

            /// Any method or function, in a call that is marked with `#[xray(trace)]`.
            #[derive(Debug, Clone, Copy)]
            #[expect(non_camel_case_types, reason = "it has the method's name")]
            pub enum any {}
        }
    };
}

xray_macros::__for_each_method! { methods }
