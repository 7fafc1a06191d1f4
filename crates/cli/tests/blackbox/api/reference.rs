//! The facts of an API as its clients know them: which fields its requests and replies have, and which error codes
//! there are. They stand in `tests/reference/`, one line a fact, in words of our own.

/// What is known of one API.
pub(super) struct Reference {
    fields: Vec<Field>,
    pub(super) codes: Vec<Code>,
}

/// A field of a request, of a reply or of a data type.
#[derive(Clone, Copy)]
pub(super) struct Field {
    owner: &'static str,
    pub(super) name: &'static str,
    /// `string`, `int64`, `uint64`, `bool`, `float`, the name of a data type, or one of them in brackets for a list.
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) nullable: bool,
    pub(super) effect: Effect,
    pub(super) meaning: &'static str,
}

/// What becomes of a field of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// What its meaning says.
    Full,
    /// It is stored and shown again: machines of one's own have no such thing.
    Stored,
    /// It asks for what is not done here, and is refused.
    Refused,
    /// Only replies have it.
    Output,
}

/// An error code.
pub(super) struct Code {
    pub(super) code: &'static str,
    pub(super) condition: &'static str,
    /// The actions that may answer it.
    pub(super) actions: Vec<&'static str>,
}

/// The facts of Batch 2017-03-12.
pub(super) fn batch() -> Reference {
    let fields = include_str!("../../reference/batch.fields.tsv");
    let codes = include_str!("../../reference/batch.codes.tsv");
    Reference { fields: lines(fields).map(field).collect(), codes: lines(codes).map(code).collect() }
}

impl Reference {
    /// The names of the actions, in the order of the reference.
    pub(super) fn actions(&self) -> Vec<&'static str> {
        let owners = self.fields.iter().filter_map(|field| field.owner.split_once(' '));
        let mut names: Vec<&str> = owners.map(|(action, _)| action).collect();
        names.dedup();
        names
    }

    /// The fields of an action's request.
    pub(super) fn request(&self, action: &str) -> impl Iterator<Item = &Field> {
        let owner = format!("{action} in");
        self.fields.iter().filter(move |field| field.owner == owner)
    }

    /// The fields of an action's reply, without its RequestId.
    pub(super) fn reply(&self, action: &str) -> impl Iterator<Item = &Field> {
        let owner = format!("{action} out");
        self.fields.iter().filter(move |field| field.owner == owner)
    }

    /// The fields of a data type; none for one that is no data type of this API.
    pub(super) fn data_type(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.owner == name)
    }

    /// The names of the data types, in alphabetical order.
    pub(super) fn data_types(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> =
            self.fields.iter().map(|field| field.owner).filter(|owner| !owner.contains(' ')).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Field {
    /// The type of an element when this is a list.
    pub(super) fn element(&self) -> Option<&'static str> {
        self.kind.strip_prefix('[')?.strip_suffix(']')
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn field(cells: Vec<&'static str>) -> Field {
    let [owner, name, kind, need, effect, meaning] = cells[..] else { panic!("six cells: {cells:?}") };
    let effect = match effect {
        "-" => Effect::Full,
        "stored" => Effect::Stored,
        "refused" => Effect::Refused,
        "output" => Effect::Output,
        other => panic!("no effect: {other}"),
    };
    let meaning = if meaning == "-" { "" } else { meaning };
    Field { owner, name, kind, required: need == "Y", nullable: need == "null", effect, meaning }
}

fn code(cells: Vec<&'static str>) -> Code {
    let [code, condition, actions] = cells[..] else { panic!("three cells: {cells:?}") };
    let actions = if actions == "-" { Vec::new() } else { actions.split(' ').collect() };
    Code { code, condition, actions }
}
