//! Generates the tokens for a call that may send a request of the AWS SDK.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Expr, ExprMethodCall};

use super::{Rewriter, match_one};
use crate::candidate::Requirement;

impl Rewriter<'_> {
    /// Returns whether a call may send a request of the AWS SDK, and the runtime traces such requests.
    pub(super) fn may_be_of_aws_sdk(&self, call: &ExprMethodCall) -> bool {
        self.options.traces_aws_sdk && call.method == "send" && call.args.is_empty() && call.turbofish.is_none()
    }

    /// Returns the receiver of a call that may send a request of the AWS SDK. The receiver is a value.
    pub(super) fn aws_sdk_value(&self, receiver: Expr, span: Span, site: &TokenStream) -> Expr {
        // Input:  client.get_item().send()
        // Output: match client.get_item() {
        //             __xray_receiver => ::xray::__private::aws_sdk::Receiver::of(
        //                 &__xray_receiver,
        //                 |__xray_request, __xray_interceptor| {
        //                     use ::xray::__private::aws_sdk::Fallback as _;
        //                     __xray_request.customize().interceptor(__xray_interceptor)
        //                 },
        //             )
        //             .__xray_traced(
        //                 __xray_receiver,
        //                 site,
        //                 |__xray_request| __xray_request.send(),
        //                 |__xray_customized| __xray_customized.send(),
        //             ),
        //         }
        //         .send()
        //
        // * `customize` and `interceptor` are inherent methods of the SDK's types, and take precedence over the trait
        //   `Fallback`. For any other type both are methods of `Fallback`, and the test selects an `__xray_traced` that
        //   returns the value unchanged, as in `on_value`.
        // * The closures have no captures, so they are function pointers. For a type that is not the SDK's, the
        //   parameters of the last two are uninhabited. Only `__xray_traced` determines their types, so they are
        //   checked after it is selected.
        // * At the first poll, the twin of the SDK's request creates one of two futures: the future of the request
        //   itself, or the future of the customised request, which has the interceptor. tests/aws-sdk
        let (aws_sdk, customize, send) =
            (self.private("aws_sdk", span), self.customize_closure(span), Self::send_closures(span));
        let method = if self.requirement == Requirement::Optional { "__xray_traced" } else { "__xray_require" };
        let method = Ident::new(method, span);
        let traced = quote_spanned! {span=>
            #aws_sdk::Receiver::of(&__xray_receiver, #customize).#method(__xray_receiver, #site, #send)
        };
        Expr::Match(match_one(receiver, Ident::new("__xray_receiver", span), traced))
    }

    /// Returns a `match` that tests whether a variable holds a request of the AWS SDK. One arm sends that request. The
    /// other arm is `of_http`, the call for all other types.
    pub(super) fn aws_sdk_place(
        &self,
        attributes: &[Attribute],
        place: &Expr,
        of_http: &Expr,
        span: Span,
        site: &TokenStream,
    ) -> Expr {
        // Input:  request.send()
        // Output: (match {
        //             use ::xray::__private::aws_sdk::Fallback as _;
        //             match request.customize() {
        //                 __xray_customized => ::xray::__private::aws_sdk::CustomizeResult::of(&__xray_customized)
        //                     .__xray_dispatch(__xray_customized, site),
        //             }
        //         } {
        //             Dispatch::Traced(__xray_twin) => {
        //                 let __xray_twin = __xray_twin.reached();
        //                 let __xray_twin = __xray_twin.__xray_attach(|__xray_customized, __xray_interceptor| ..);
        //                 __xray_twin.send()
        //             }
        //             Dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(match .. { .. }),
        //         })                                                                   // the `match` of `on_place`
        //
        // `customize` takes a request of the SDK by value, and `Fallback::customize` takes any other value by
        // reference. So an enclosing closure captures the variable as for the user's `send`. As an argument, the
        // variable would be captured by value for every type. tests/it/shapes/closures.rs::async_blocks
        //
        // Each step of the twin is bound. Without a binding, rustc 1.85 reports `unreachable_code` on the whole
        // `match`.
        let (aws_sdk, dispatch) = (self.private("aws_sdk", span), self.private("Dispatch", span));
        Expr::Verbatim(quote_spanned! {span=>
            #(#attributes)*
            (match {
                #[allow(unused_imports)]
                use #aws_sdk::Fallback as _;
                match #place.customize() {
                    __xray_customized => {
                        #aws_sdk::CustomizeResult::of(&__xray_customized).__xray_dispatch(__xray_customized, #site)
                    }
                }
            } {
                #[allow(unreachable_code)]
                #dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    let __xray_twin = __xray_twin.__xray_attach(|__xray_customized, __xray_interceptor| {
                        #[allow(unused_imports)]
                        use #aws_sdk::Fallback as _;
                        __xray_customized.interceptor(__xray_interceptor)
                    });
                    __xray_twin.send()
                }
                #[allow(unreachable_code)]
                #dispatch::Untraced(__xray_untraced) => __xray_untraced.reached().pass(#of_http),
            })
        })
    }

    /// Returns the closure that customises a request of the AWS SDK.
    fn customize_closure(&self, span: Span) -> TokenStream {
        let aws_sdk = self.private("aws_sdk", span);
        quote_spanned! {span=>
            |__xray_request, __xray_interceptor| {
                #[allow(unused_imports)]
                use #aws_sdk::Fallback as _;
                __xray_request.customize().interceptor(__xray_interceptor)
            }
        }
    }

    /// Returns the closures that send a request of the AWS SDK, and the customised request.
    fn send_closures(span: Span) -> TokenStream {
        quote_spanned!(span=> |__xray_request| __xray_request.send(), |__xray_customized| __xray_customized.send())
    }
}
