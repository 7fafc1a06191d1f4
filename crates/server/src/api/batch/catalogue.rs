//! What the actions about instance types have in common: the catalogue as offers.

use wire::batch::TypeFilter;
use wire::batch::reply::Offer;

use crate::App;
use crate::settings::{Catalogue, OfferedType};

/// The offered types that the filter wants. One that is not listed is offered to whoever asks for it by its name, if
/// the name tells its size.
pub(super) fn wanted(catalogue: &Catalogue, filter: &TypeFilter) -> Vec<OfferedType> {
    let listed = |name: &String| catalogue.offered().any(|offered| offered.node.name == *name);
    let unlisted = filter.types.iter().filter(|name| !listed(name));
    let unlisted = unlisted.filter_map(|name| catalogue.node_type(name)).map(OfferedType::of);
    let mut offered: Vec<OfferedType> = catalogue.offered().cloned().chain(unlisted).collect();
    offered.retain(|offered| {
        let asked = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        asked(&filter.types, &offered.node.name) && asked(&filter.families, &offered.family)
    });
    offered.sort_by(|one, other| one.node.name.cmp(&other.node.name));
    offered.dedup();
    offered
}

/// The types as a reply tells them.
pub(super) fn offers(types: &[OfferedType]) -> Vec<Offer<'_>> {
    let offer = types.iter().map(|OfferedType { node, family, .. }| Offer {
        name: &node.name,
        family,
        cpu: node.cpu,
        mem_gb: node.mem_gb,
    });
    offer.collect()
}

/// The zones that the filter wants: all, unless it names some.
pub(super) fn zones(app: &App, filter: &TypeFilter) -> Vec<String> {
    if filter.zones.is_empty() { app.settings.zones.clone() } else { filter.zones.clone() }
}
