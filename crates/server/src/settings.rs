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
    /// The digest of the certificate that the server shows, where it speaks TLS.
    pub pin: Option<agent::way::Pin>,
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

    /// The listed types with so many cores and so much memory in GiB, by name, of one of these categories; none named:
    /// of any. When there is none, one that is called by its size, of the category `GENERAL`.
    #[must_use]
    pub fn of_size(&self, cpu: u32, mem_gb: u32, categories: &[String]) -> Vec<NodeType> {
        let is_wanted = |category: &str| categories.is_empty() || categories.iter().any(|wanted| wanted == category);
        let listed = self
            .types
            .values()
            .filter(|offered| (offered.node.cpu, offered.node.mem_gb) == (cpu, mem_gb) && is_wanted(&offered.category));
        let mut types: Vec<NodeType> = listed.map(|offered| offered.node.clone()).collect();
        if types.is_empty() && is_wanted("GENERAL") {
            types.push(NodeType { name: format!("{cpu}C{mem_gb}G"), cpu, mem_gb, slots: self.slots });
        }
        types
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
    fn types_are_found_by_their_size_and_category() {
        let offered = |name: &str, cpu, category: &str| {
            let node = NodeType { name: name.into(), cpu, mem_gb: 8, slots: 1 };
            OfferedType { family: name.into(), node, category: category.into() }
        };
        let types = [offered("b", 4, "GENERAL"), offered("a", 4, "COMPUTE"), offered("c", 2, "GENERAL")];
        let catalogue = Catalogue::new(types, 3);
        let found = |cpu, categories: &[&str]| -> Vec<String> {
            let categories: Vec<String> = categories.iter().map(|category| (*category).to_owned()).collect();
            catalogue.of_size(cpu, 8, &categories).into_iter().map(|kind| kind.name).collect()
        };
        assert_eq!(found(4, &[]), ["a", "b"]);
        assert_eq!(found(4, &["COMPUTE", "GENERAL_2"]), ["a"]);
        assert_eq!(found(7, &["GENERAL"]), ["7C8G"]);
        assert_eq!(catalogue.of_size(7, 8, &[])[0].slots, 3);
        assert!(found(2, &["COMPUTE"]).is_empty());
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
