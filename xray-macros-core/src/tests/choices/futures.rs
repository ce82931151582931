//! Which calls of clients return another future than the client's, by the places that the futures go to.

use super::{check, choices};

#[test]
fn a_future_that_stays_in_the_function_may_have_any_type() {
    check(&[
        ("c.request(r).await", "future"),
        ("(c.request(r)).await", "future"),
        ("keep(c.request(r))", "as-typed"),
        ("drop(c.request(r))", "future"),
        ("spawn_local(c.request(r))", "future"),
        ("Box::pin(c.request(r)).await", "future"),
        ("keep(Box::pin(c.request(r)))", "as-typed"),
        ("c.request(r).map(f).await", "future"),
        ("keep(c.request(r).map(f))", "as-typed"),
        ("c.request(r).boxed()", "future"),
        ("join(c.request(r), c.request(s)).await", "future future"),
        ("keep(join(c.request(r), c.request(s)))", "as-typed as-typed"),
        ("let _ = c.request(r);", "future"),
        ("let a: Response = c.request(r);", "as-typed"),
        ("let (a, b) = c.request(r);", "as-typed"),
        ("let a = c.request(r) as Boxed<dyn Future>;", "as-typed"),
        ("let a = Box::pin(c.request(r)) as Pin<Box<dyn Future>>;", "future"),
        ("let a = Box::pin(c.request(r)) as Pin<Box<Response>>;", "as-typed"),
        ("let a: Box<dyn Any> = Box::pin(c.request(r));", "future"),
        ("let a: Pin<Box<Response>> = Box::pin(c.request(r));", "as-typed"),
        ("pin! { let a = c.request(r); } a.await", "future"),
        ("pin!(c.request(r)).await", "future"),
        ("keep(pin!(c.request(r)))", "as-typed"),
        ("select(pin!(c.request(r)), pin!(c.request(s))).await", "future future"),
        ("let a: Pin<&mut Response> = pin!(c.request(r)); a.await", "as-typed"),
        ("let a: Pin<&mut dyn Future<Output = u8>> = pin!(c.request(r)); keep(a)", "future"),
        ("(&mut c.request(r)).await", "future"),
        ("timeout(1, &mut c.request(r)).await", "future"),
        ("RequestBuilder::send(r)?", "path"),
        ("keep(RequestBuilder::send(r))", "left-alone"),
    ]);
}

#[test]
fn the_uses_of_a_variable_determine_the_type_of_its_future() {
    check(&[
        ("let a = c.request(r); a.await", "future"),
        ("let a = c.request(r); (a).await", "future"),
        ("let a = c.request(r); keep(a)", "as-typed"),
        ("let a = c.request(r); keep(&a); a.await", "as-typed"),
        ("let a = c.request(r); info!(\"{}\", a.id()); a.await", "as-typed"),
        ("let a = c.request(r); keep(&mut a); a.await", "as-typed"),
        ("let a = c.request(r); select(&mut a, b).await;", "future"),
        ("let a = c.request(r); select(&a, b).await;", "as-typed"),
        ("let a = c.request(r); a.await; let a = g(); keep(a)", "future"),
        ("let a = c.request(r); let b = join(a, g()); b.await", "future"),
        ("let a = c.request(r); let b: Both = join(a, g()); b.await", "as-typed"),
        ("let a = c.request(r); let b = g(a); b.await", "as-typed"),
        ("let a = c.request(r); let b = a; b.await", "as-typed"),
        ("let a = c.request(r); let b = join(a, g()); keep(b)", "as-typed"),
        ("let a = c.request(r); let b = a.map(f); b.await", "future"),
        ("let a = c.request(r); let b = a.other(); b.await", "as-typed"),
        ("let a = c.request(r).map(f); a.await", "future"),
        ("let a = c.request(r).other(); a.await", "as-typed"),
        ("let a = g(c.request(r)); a.await", "as-typed"),
        ("let a = pin(c.request(r)); a.await", "as-typed"),
        ("let a = Box::new(c.request(r)); a.await", "as-typed"),
        ("let a = Box::pin(c.request(r)); a.await", "future"),
        ("let mut a = c.request(r); a = c.request(s); a.await", "future future"),
        ("let mut a = c.request(r); a = g(); a.await", "as-typed"),
        ("let mut a = c.request(r); b = g(); a.await", "future"),
        ("let mut a = c.request(r); #[xray(skip)] a = c.request(s); a.await", "as-typed"),
        ("let a = c.request(r); if b { return a.await; } keep(0)", "future"),
        ("let a = c.request(r); #[xray(skip)] a.send(); a.await", "as-typed"),
        ("let a = c.request(r); #[xray(skip)] b.send(); a.await", "future"),
        ("let a = c.request(r); #[xray(skip)] join(a, c.request(s)).await", "as-typed"),
        ("let ref a = c.request(r); a.await", "as-typed"),
        ("let a = std::pin::pin!(c.request(r)); select! { b = &mut a => b } a.await", "future"),
        ("let mut a = pin!(c.request(r)); a.as_mut().poll(d); a.as_mut().await", "future"),
        ("let mut a = pin!(c.request(r)); a.as_mut().cancel(); a.await", "as-typed"),
        ("let a = c.request(r); tokio::pin!(a); a.await", "future"),
        ("let a = c.request(r); tokio::pin! { let b = keep(a); } b.await", "as-typed"),
        ("let a = c.request(r); let b = pin!(a); b.await", "future"),
        ("let a = c.request(r); let b = pin!(a); b.as_mut().cancel()", "as-typed"),
        ("let a = || c.request(r); a().await", "future"),
        ("let a = || c.request(r); keep(a)", "as-typed"),
        ("let a = || c.request(r); let b = a().map(f); join(b, g()).await", "future"),
        ("let a = c.request(r); println!(\"{}\", a)", "as-typed"),
        ("let a = c.request(r); println!(\"{a}\"); a.await", "as-typed"),
        ("let a = c.request(r); println!(\"{}\", (format!(\"{a}\"))); a.await", "as-typed"),
        ("let a = c.request(r); info!(\"{a:?}\"); a.await", "as-typed"),
        ("let a = c.request(r); keep!(s, r#\"{{}} {0:>a$}\"#, 1); a.await", "as-typed"),
        ("let a = c.request(r); println!(\"a {{a}} {:a} {}\", 1); a.await", "future"),
        ("let a = c.request(r); let b = S { a }; b.await", "as-typed"),
        ("let b = async { let a = c.request(r); a.await }; b.await", "future"),
        ("let b = async { let a = c.request(r); keep(a) }; b.await", "as-typed"),
        ("keep(async { c.request(r) })", "as-typed"),
        // Too many expressions are between the call and the use.
        (&format!("let a = c.request(r); {} a.await", "g(1);".repeat(1000)), "as-typed"),
        (&format!("let a = c.request(r); {} a.await", "g(1);".repeat(100)), "future"),
    ]);
}

#[test]
fn the_branches_of_an_expression_have_one_type() {
    check(&[
        ("if b { c.request(r) } else { c.request(s) }.await", "future future"),
        ("if b { c.request(r) } else { g() }.await", "as-typed"),
        ("if b { c.request(r).map(f) } else { c.request(s) }.await", "future future"),
        ("match b { 1 => c.request(r), _ => return }.await", "future"),
        ("match b { 1 => c.request(r), _ => g() }.await", "as-typed"),
        ("if b { #[xray(skip)] c.request(r) } else { c.request(s) }.await", "left-alone"),
        ("{ #[xray(skip)] c.request(r) }.await; c.request(s).await", "future"),
        ("let a = if b { c.request(r).map(f) } else { c.request(s) }; a.await", "future future"),
        ("let a = { g(); c.request(r) }; a.await", "future"),
        ("unsafe { c.request(r) }.await", "future"),
        ("if b { c.request(r); } c.request(s).await", "as-typed future"),
        ("if b { return; } else { c.request(r) }.await", "future"),
        ("if b { g(); panic!(); } else { c.request(r) }.await", "future"),
        ("if b { make! { u } } else { c.request(r) }.await", "as-typed"),
        ("if b { #[cfg(a)] { g() } #[cfg(b)] { return } } else { c.request(r) }.await", "as-typed"),
        ("if b { #[cfg(a)] { c.request(r) } #[cfg(b)] { return } } else { c.request(s) }.await", "future future"),
        ("while c.request(r).await {}", "future"),
        ("let a = if b { ureq::run(r) } else { ureq::run(s) }; a.await", "future future"),
        ("if b { c.request(r) } else { request.send() }.await", "as-typed place"),
        ("if b { c.request(1) } else { c.request(r) }.await", "as-typed"),
        ("if b { ureq::run(1) } else { ureq::run(r) }.await", "as-typed"),
        ("if b { c.request(r).other() } else { c.request(s) }.await", "as-typed as-typed"),
        ("if b { keep(c.request(r)) } else { c.request(s) }.await", "as-typed as-typed"),
        ("if b { join(c.request(r), d) } else { join(c.request(s), e) }.await", "future future"),
        (
            "if b { join(c.request(r), c.request(s)) } else { join(c.request(t), g()) }.await",
            "as-typed as-typed as-typed",
        ),
        ("if b { timeout(1, c.request(r)) } else { timeout(2, c.request(s)) }.await", "future future"),
        ("if b { join(g(), h()) } else { join(c.request(r), h()) }.await", "as-typed"),
        ("if b { join(join(g(), h()), c.request(r)) } else { join(both(), c.request(s)) }.await", "future future"),
        ("if b { join(g(), c.request(r)) } else { join(todo!(), c.request(s)) }.await", "future future"),
        // The program's function may name the type of its argument or of its result.
        ("if b { keep(c.request(r)) } else { unconstrained(c.request(s)) }.await", "as-typed as-typed"),
        ("join_all([join(c.request(r), g()), join(h(), c.request(s))]).await", "as-typed as-typed"),
        ("let a = if b { join(c.request(r), g()) } else { join(c.request(s), g()) }; a.await", "future future"),
        ("if b { c.request(r) } else { loop { done!(a) } }.await", "as-typed"),
        ("if b { c.request(r) } else { loop { info!(a); break c.request(s); } }.await", "as-typed as-typed"),
        ("if b { c.request(r) } else { loop { info!(a); if d { return } } }.await", "future"),
        ("if b { RequestBuilder::send(r) } else { RequestBuilder::send(s) }.await", "path path"),
        ("if b { RequestBuilder::send(r) } else { g(r) }.await", "left-alone"),
    ]);
}

#[test]
fn each_side_of_an_either_has_a_type_of_its_own() {
    check(&[
        ("if b { c.request(r).left_future() } else { c.request(s).right_future() }.await", "future future"),
        ("if b { c.request(r).left_future() } else { g().right_future() }.await", "future"),
        ("if b { g().left_future() } else { c.request(r).right_future() }.await", "future"),
        ("if b { c.request(r).left_future() } else { request.send().right_future() }.await", "future place"),
        (
            "if b { c.request(r).left_future() } else if d { g().left_future() } else { h().right_future() }.await",
            "as-typed",
        ),
        (
            "if b { c.request(r).right_future() } else if d { g().right_future() } else { h().left_future() }.await",
            "as-typed",
        ),
        (
            "if b { join(g(), h()).left_future() } else if d { both().left_future() } \
             else { c.request(r).right_future() }.await",
            "future",
        ),
        (
            "if b { c.request(r).left_future().left_future().left_future() } \
             else if d { g().left_future().left_future().left_future() } else { h().right_future() }.await",
            "as-typed",
        ),
    ]);
}

#[test]
fn the_items_of_a_list_have_one_type() {
    check(&[
        ("join_all([c.request(r), c.request(s)]).await", "future future"),
        ("join_all([c.request(r), g()]).await", "as-typed"),
        ("keep([c.request(r), c.request(s)])", "as-typed as-typed"),
        ("keep(vec![c.request(r); 2])", "as-typed"),
        ("keep(json!({ \"a\": c.request(r), \"b\": [null, c.request(s)] }))", "as-typed as-typed"),
        ("join_all(vec![c.request(r), c.request(s)]).await", "future future"),
        ("join_all(vec![c.request(r), g()]).await", "as-typed"),
        ("let mut a = Vec::new(); a.push(c.request(r)); join_all(a).await", "future"),
        ("let mut a = Vec::<Response>::new(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = list(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a: Vec<_> = Vec::new(); a.push(c.request(r)); join_all(a).await", "future"),
        ("let mut a: Vec<Response> = Vec::new(); a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = Vec::new(); a.push(c.request(r)); a.push(g()); join_all(a).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r))).await", "future"),
        ("keep(list.iter().map(|r| c.request(r)))", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).collect::<Vec<_>>()).await", "future"),
        ("join_all(list.iter().map(|r| c.request(r)).collect::<Vec<Response>>()).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).other()).await", "as-typed"),
        ("join_all(pool.each(|r| c.request(r))).await", "as-typed"),
        ("join_all(a.map(|r| c.request(r)).chain(pool.each(|r| c.request(r)))).await", "as-typed as-typed"),
        ("join_all(a.map(|r| c.request(r)).chain(b.map(|r| -> Named { c.request(r) }))).await", "as-typed as-typed"),
        ("join_all([c.request(r)].map(|a| { keep(a); c.request(s) })).await", "as-typed future"),
        ("keep(a.map(|r| c.request(r)).chain([c.request(s)]))", "as-typed as-typed"),
        ("join_all(a.map(|r| c.request(r)).chain(b.map(|r| c.request(r)))).await", "future future"),
        ("join_all(a.map(|r| c.request(r)).chain([c.request(s)]).rev()).await", "future future"),
        ("join_all(a.map(|r| c.request(r)).chain(vec![c.request(s)])).await", "future future"),
        ("join_all(a.map(|r| c.request(r)).chain([g()])).await", "as-typed"),
        ("join_all([g()].into_iter().chain(a.map(|r| c.request(r)))).await", "as-typed"),
        ("join_all(a.map(|r| c.request(r)).chain(Some(c.request(s)))).await", "as-typed as-typed"),
        ("join_all(a.map(|r| c.request(r)).chain(b.map(|r| request.send()))).await", "as-typed place"),
        ("join_all(a.map(|r| { if b { return g(); } c.request(r) }).chain([c.request(s)])).await", "as-typed as-typed"),
        ("a.map(|r| c.request(r)).chain(b.map(|r| c.request(r))).buffered(2).next().await", "future future"),
        ("a.map(|r| c.request(r)).chain(other()).buffered(2).next().await", "as-typed"),
        ("let a = [c.request(r)]; for b in a.into_iter().chain([g()]) { b.await; }", "as-typed"),
        ("let a = b.map(|r| c.request(r)).chain([c.request(s)]); join_all(a).await", "future future"),
        ("let a = b.map(|r| c.request(r)); join_all(a.chain(d)).await", "as-typed"),
        ("join_all([c.request(r)].into_iter()).await", "future"),
        ("join_all([c.request(r)].map(keep)).await", "as-typed"),
        ("join_all(vec![c.request(r)].into_iter().map(keep)).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).map(keep)).await", "as-typed"),
        ("join_all(list.iter().map(|r| c.request(r)).filter(keep)).await", "as-typed"),
        ("join_all(if b { vec![c.request(r)] } else { Vec::new() }).await", "future"),
        ("join_all(if b { vec![c.request(r)] } else { list() }).await", "as-typed"),
        ("let a = list.iter().map(|r| c.request(r)).collect().await; keep(a)", "as-typed"),
        ("stream.map(|r| c.request(r)).collect::<Vec<_>>().await", "as-typed"),
        ("first.map(|_| c.request(r)).await", "as-typed"),
        ("let a = list.iter().map(|r| c.request(r)); join_all(a).await", "future"),
        ("let a = list.iter().map(|r| c.request(r)).rev().collect(); join_all(a).await", "future"),
        ("let mut a = other![c.request(r)]; a.push(c.request(s)); join_all(a).await", "as-typed"),
        ("stream.map(|r| c.request(r)).buffered(2).next().await", "future"),
        ("stream.for_each(|r| c.request(r)).await", "future"),
        ("stream.for_each(async |r| c.request(r)).await", "as-typed"),
        ("now.then(|| c.request(r))", "as-typed"),
        ("first.then(|_| c.request(r)).await", "future"),
        ("let mut a = vec![b]; a.push(c.request(r)); join_all(a).await", "as-typed"),
        ("let mut a = vec![]; a.push(c.request(r)); join_all(a).await", "future"),
        ("stream.for_each(|r| { if b { return c.request(r); } c.request(s) }).await", "future future"),
        ("stream.for_each(|r| { if b { return g(); } c.request(s) }).await", "as-typed"),
        ("retry_if(|| c.request(r), policy).await", "future"),
        ("(|| c.request(r)).retry(policy).await", "future"),
        ("other(|| c.request(r)).await", "as-typed"),
        ("let a = || c.request(r); a.retry(policy).await", "future"),
        ("let a = || c.request(r); retry(policy, a).await", "future"),
        ("let mut a = || c.request(r); retry(policy, &mut a).await", "future"),
        ("let a = || c.request(r); a.other(policy).await", "as-typed"),
        ("let a = || c.request(r); spawn_blocking(a).await", "as-typed"),
        ("Retry::spawn(strategy, || c.request(r)).await", "future"),
        ("tokio_retry::RetryIf::spawn(strategy, || c.request(r), d).await", "future"),
        ("let a = || c.request(r); Retry::spawn(strategy, a).await", "future"),
        ("Other::spawn(strategy, || c.request(r)).await", "as-typed"),
        ("let a = c.request(r).map(|b| tx.send(b)); a.await", "future"),
        ("let a = [c.request(r), c.request(s)]; join_all(a.map(keep)).await", "as-typed as-typed"),
        ("let a = [c.request(r)]; join_all(a.into_iter().map(keep)).await", "as-typed"),
        ("let a = [c.request(r), c.request(s)]; for b in a { b.await }", "future future"),
        ("let a = [c.request(r), c.request(s)]; for b in a { keep(b) }", "as-typed as-typed"),
        ("let a = [c.request(r)]; for b in a { b.await; } for a in d { keep(a); }", "future"),
        ("let a = [c.request(r)]; for b in a { b.await; } for b in d { keep(a); }", "as-typed"),
        ("keep([c.request(r); 2])", "as-typed"),
    ]);
}

#[test]
fn a_method_of_a_list_polls_its_futures_or_passes_them_on() {
    check(&[
        ("let mut a = list.map(|r| c.request(r)); keep(a.next().unwrap()).await", "as-typed"),
        ("let mut a = list.map(|r| c.request(r)); while let Some(b) = a.next() { keep(b) }", "as-typed"),
        ("let mut a = list.map(|r| c.request(r)); pin!(a); a.next().await", "as-typed"),
        ("let mut a = list.map(|r| c.request(r)).collect::<FuturesUnordered<_>>(); a.next().await", "future"),
        ("let mut a: FuturesOrdered<_> = list.map(|r| c.request(r)).collect(); a.next().await", "future"),
        ("let mut a = FuturesUnordered::new(); a.push(c.request(r)); a.try_next().await", "future"),
        ("let mut a = FuturesUnordered::new(); a.push(c.request(r)); a.into_iter().next().unwrap().await", "as-typed"),
        (
            "let a = list.map(|r| c.request(r)); let mut b = a.collect::<FuturesUnordered<_>>(); b.next().await",
            "future",
        ),
        ("let a = list.map(|r| c.request(r)); let mut b = a.rev(); keep(b.next())", "as-typed"),
        ("let mut a: _ = list.map(|r| c.request(r)); keep(a.next())", "as-typed"),
        ("let a = list.map(|r| c.request(r)); let mut b = Box::pin(a); keep(b.next())", "as-typed"),
        ("let a = list.map(|r| c.request(r)); let mut b = pin!(a); keep(b.next())", "as-typed"),
        ("let a = list.map(|r| c.request(r)); let b = join_all(a); b.await", "future"),
        (
            "let mut a = FuturesUnordered::new(); a.push(c.request(r)); let b = a.into_iter(); keep(b.next())",
            "as-typed",
        ),
        ("let a = list.map(|r| c.request(r)); a.buffered(2).next().await", "future"),
        ("let a = list.map(|r| c.request(r)); a.len(); join_all(a).await", "future"),
        ("let a = list.map(|r| c.request(r)); a.await", "as-typed"),
    ]);
}

#[test]
fn either_of_two_futures_is_the_rest_of_a_selection() {
    check(&[
        ("select(c.request(r), c.request(s)).await.into_inner()", "future future"),
        ("select(c.request(r), g()).await.into_inner()", "as-typed"),
        ("match select(c.request(r), g()).await { Left((a, b)) | Right((a, b)) => keep(b) }", "as-typed"),
        ("match select(c.request(r), g()).await { Either::Left((a, _)) => a, Either::Right(_) => b }", "future"),
        ("match select(c.request(r), g()).await { Left((a, _)) if a => a, _ => b }", "future"),
        ("match select(c.request(r), g()).await { (Left((a, _))) => a, (_) => b }", "future"),
        ("match select(c.request(r), g()).await { a => keep(a) }", "as-typed"),
        ("match try_select(c.request(r), g()).await { Ok(Left(_)) => a, Ok(Right(_)) => b, Err(e) => d }", "as-typed"),
        ("match try_select(c.request(r), g()).await { Ok(Left(_)) => a, Ok(Right(_)) => b, Err(_) => d }", "future"),
        ("if let Either::Left((a, _)) = select(c.request(r), g()).await { b }", "future"),
        ("let Either::Left((a, _)) = select(c.request(r), g()).await else { return };", "future"),
        ("let _ = select(c.request(r), g()).await;", "future"),
        ("let (a, _) = select(c.request(r), g()).await.factor_first();", "future"),
        ("let a = select(c.request(r), g()).await; keep(a)", "as-typed"),
        ("let a = select(c.request(r), g()); a.await", "as-typed"),
        ("select(pin!(c.request(r)), g()).await;", "future"),
        ("let a = c.request(r); match select(a, b).await { Left(_) => 1, Right(_) => 2 }", "future"),
        ("let a = c.request(r); if let Left(_) = select(&mut a, b).await { 1 } a.await", "future"),
        ("let a = c.request(r); match select(a, b).await { Left((d, e)) | Right((d, e)) => keep(e) }", "as-typed"),
        (
            "join_all(vec![select(c.request(r), g()), select(c.request(s), c.request(t))]).await",
            "as-typed as-typed as-typed",
        ),
        (
            "join_all(vec![select(c.request(r), c.request(q)), select(c.request(s), c.request(t))]).await",
            "future future future future",
        ),
        ("timeout(1, select(c.request(r), g())).await", "as-typed"),
    ]);
}

#[test]
fn the_values_of_a_function_have_one_type() {
    let of = |body: &str| choices(&format!("fn f(c: &Client) -> impl Future<Output = u8> {{ {body} }}"));
    assert_eq!(of("c.request(r)"), "future");
    assert_eq!(of("if b { return c.request(r); } c.request(s)"), "future future");
    assert_eq!(of("if b { return g(); } c.request(s)"), "as-typed");
    assert_eq!(of("if b { return c.request(r); } g()"), "as-typed");
    assert_eq!(of("let g = || { return g(); }; c.request(s)"), "future");
    assert_eq!(of("async { if b { return c.request(r); } g() }"), "as-typed");
    assert_eq!(of("let a = c.request(r); a"), "future");
    assert_eq!(of("let a = c.request(r); keep(a)"), "as-typed");
    // A block in front of the value is a statement.
    assert_eq!(of("unsafe { c.request(r) } c.request(s)"), "as-typed future");
    assert_eq!(choices("fn f(c: &Client) -> Response { c.request(r) }"), "as-typed");
    assert_eq!(choices("fn f(c: &Client) -> BoxFuture<u8> { Box::pin(c.request(r)) }"), "future");
    assert_eq!(choices("fn f(c: &Client) -> BoxFuture<u8> { c.request(r) }"), "as-typed");
    assert_eq!(of("if b { give!(c.request(r)) } c.request(s)"), "as-typed");
    assert_eq!(of("if b { give!() } c.request(s)"), "future");
    assert_eq!(of("if b { check!(b) } c.request(s)"), "future");
    assert_eq!(of("if b { println!(\"{}\", r.get(1)) } c.request(s)"), "future");
    assert_eq!(of("if b { vec![{ return g() }]; } c.request(s)"), "as-typed");
    let of = |result: &str, body: &str| choices(&format!("fn f(c: Client) -> {result} {{ {body} }}"));
    assert_eq!(of("impl IntoFuture<Output = u8, IntoFuture = Response>", "c.request(r)"), "as-typed");
    assert_eq!(of("impl IntoFuture<Output = u8, IntoFuture: Cancel>", "c.request(r)"), "as-typed");
    assert_eq!(of("impl TryFuture<Ok = u8, Error = u8>", "c.request(r)"), "future");
    assert_eq!(of("impl Future<Output = u8> + Send + 'static", "c.request(r)"), "future");
    assert_eq!(of("impl Future<Output = u8> + Cancel", "c.request(r)"), "as-typed");
    assert_eq!(of("BoxFuture<u8>", "if b { return Box::pin(g()); } Box::pin(c.request(r))"), "future");
    assert_eq!(
        of("impl Iterator<Item = impl Future>", "if b { return list(); } vec![c.request(r)].into_iter()"),
        "as-typed"
    );
    assert_eq!(of("impl IntoIterator<Item = impl Future, IntoIter = List>", "rs.map(|r| c.request(r))"), "as-typed");
    assert_eq!(of("impl Iterator<Item = impl Future> + Send", "rs.map(|r| c.request(r)).chain([g()])"), "as-typed");
    assert_eq!(of("impl Fn() -> impl Future + use<>", "move || c.request(r)"), "future");
    assert_eq!(of("Pin<Box<Map<Response, Box<dyn FnOnce(u8)>>>>", "Box::pin(c.request(r).map(g))"), "as-typed");
    assert_eq!(of("Pin<Box<(dyn Future<Output = u8> + Send)>>", "Box::pin(c.request(r).map(g))"), "future");
    assert_eq!(
        of("Vec<Pin<Box<dyn Future>>>", "vec![Box::pin(c.request(r)), Box::pin(c.request(s))]"),
        "future future"
    );
    assert_eq!(of("impl Fn(Request) -> Response", "move |r| c.request(r)"), "as-typed");
    assert_eq!(of("impl Iterator<Item = Response>", "rs.map(|r| c.request(r))"), "as-typed");
    assert_eq!(of("impl Iterator<Item = impl Future>", "rs.map(|r| c.request(r))"), "future");
    assert_eq!(
        of("impl Future<Output = u8>", "'a: { if b { break 'a c.request(r); } c.request(s) }"),
        "as-typed as-typed"
    );
}

#[test]
fn the_future_of_a_client_is_replaced_or_its_call_is_left_alone() {
    check(&[
        ("client.get(url).await", "client"),
        // The open type of the variable is settled too.
        ("let a = client.get(url); a.await", "client future"),
        ("keep(client.get(url))", ""),
        ("client.get(url)?", ""),
        ("client.get(&key).await; c.request(r).await", "future"),
        ("map.get(url).await; c.request(r).await", "future"),
        ("client.get::<u32>(url).await; c.request(r).await", "future"),
        // With type arguments it is no client's method, so only the other call is left alone.
        ("client.get::<u32>(url).await; requests[0].send()", "left-alone"),
        ("let a = if b { client.get::<u32>(url) } else { c.request(r) }; a.await", "as-typed"),
        ("state.client.get(url).await", "client"),
        ("state.lock().await.client.get(url).await", "left-alone"),
        ("pool[0].client.get(url).await", "left-alone"),
    ]);
}
