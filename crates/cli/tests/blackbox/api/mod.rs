//! The API held against the facts of its reference: every action is built, every field of a request is read, every
//! field of a reply is there with its type, every error code has a home; and the pages that say so.

mod clients;
mod codes;
mod examples;
mod fields;
mod pages;
mod reference;
mod replies;
mod session;

#[test]
fn every_action_of_batch_is_built() {
    let built: Vec<&str> =
        server::api::actions().filter(|listed| listed.product == "batch").map(|listed| listed.action).collect();
    let missing: Vec<&str> =
        reference::batch().actions().into_iter().filter(|action| !built.contains(action)).collect();
    assert_eq!(missing, [""; 0]);
}
