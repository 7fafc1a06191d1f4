//! What the API needs to know of the installation: region, zones, instance types.

use std::collections::BTreeMap;

use kernel::environment::NodeType;

/// Settings as requests are checked against them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one region, such as `ap-guangzhou`.
    pub region: String,
    /// The zones of the region.
    pub zones: Vec<String>,
    /// The addresses of mounted file systems, each ending with `/`.
    pub mounts: Vec<String>,
    /// Instance types.
    pub catalogue: Catalogue,
    /// How often instances are sampled, in milliseconds.
    pub sample_ms: u64,
    /// Number of the account that owns topics and queues: CMQ's APPID.
    pub topic_owner: u64,
}

/// The instance types that environments may name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    types: BTreeMap<String, OfferedType>,
    slots: u32,
}

/// A type that environments may name, with what only lists of types tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedType {
    /// What a node of it has to offer.
    pub node: NodeType,
    /// Its family, such as `S5`.
    pub family: String,
    /// Its category, such as `GENERAL`.
    pub category: String,
}

impl OfferedType {
    /// A type of the family that its name tells, of the category `GENERAL`.
    #[must_use]
    pub fn of(node: NodeType) -> Self {
        let family = node.name.split_once('.').map_or(node.name.as_str(), |(family, _)| family).to_owned();
        Self { node, family, category: "GENERAL".to_owned() }
    }
}

impl Catalogue {
    /// A catalogue of `types`, with `slots` for each type that is not listed.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = OfferedType>, slots: u32) -> Self {
        let types = types.into_iter().map(|offered| (offered.node.name.clone(), offered)).collect();
        Self { types, slots }
    }

    /// What a node of the type called `name` has to offer: as listed; else, for a name of Tencent's form, as the name
    /// says: `S5.LARGE8` has 4 cores and 8 GB. `None` for other names.
    #[must_use]
    pub fn node_type(&self, name: &str) -> Option<NodeType> {
        if let Some(listed) = self.types.get(name) {
            return Some(listed.node.clone());
        }
        let (cpu, mem_gb) = size_in(name)?;
        Some(NodeType { name: name.to_owned(), cpu, mem_gb, slots: self.slots })
    }

    /// The listed types, by name.
    pub fn offered(&self) -> impl Iterator<Item = &OfferedType> {
        self.types.values()
    }
}

/// Cores and memory in GB that a name of Tencent's form tells (`<family>.<size><GB>`, CVM's naming of instance types).
fn size_in(name: &str) -> Option<(u32, u32)> {
    let (family, size) = name.split_once('.')?;
    let is_family = family.starts_with(|c: char| c.is_ascii_uppercase())
        && family.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && family.len() <= 16;
    let word = size.trim_end_matches(|c: char| c.is_ascii_digit());
    let mem_gb: u32 = size[word.len()..].parse().ok().filter(|gb| (1..=65_536).contains(gb))?;
    let cpu = match word {
        "SMALL" => 1,
        "MEDIUM" => 2,
        "LARGE" => 4,
        _ => match word.strip_suffix("XLARGE")? {
            "" => 4,
            times => times.parse::<u32>().ok().filter(|times| (1..=1_024).contains(times))?.checked_mul(4)?,
        },
    };
    is_family.then_some((cpu, mem_gb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_names() {
        let cases = [
            ("S5.SMALL1", Some((1, 1))),
            ("S1.MEDIUM4", Some((2, 4))),
            ("S5.LARGE8", Some((4, 8))),
            ("S2.3XLARGE24", Some((12, 24))),
            ("SA2.2XLARGE16", Some((8, 16))),
            ("S5.LARGE", None),
            ("S5.HUGE8", None),
            ("s5.LARGE8", None),
            ("S5.0XLARGE8", None),
            ("S5.LARGE0", None),
            ("S5.LARGE99999999999", None),
            ("LARGE8", None),
            ("", None),
            ("S5.", None),
        ];
        for (name, size) in cases {
            assert_eq!(size_in(name), size, "{name}");
        }
    }

    #[test]
    fn a_listed_type_goes_before_what_its_name_says() {
        let listed = NodeType { name: "S5.LARGE8".into(), cpu: 1, mem_gb: 1, slots: 9 };
        let catalogue = Catalogue::new([OfferedType::of(listed.clone())], 3);
        assert_eq!(catalogue.node_type("S5.LARGE8"), Some(listed));
        assert_eq!(catalogue.node_type("S5.LARGE16").map(|found| (found.cpu, found.slots)), Some((4, 3)));
        assert_eq!(catalogue.node_type("mine"), None);
    }
}
