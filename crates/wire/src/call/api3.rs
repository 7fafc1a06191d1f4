//! Calls of API 3.0, signed in the `Authorization` header (TC3-HMAC-SHA256) or, the older way, in a
//! parameter of the query or form (HmacSHA1, HmacSHA256).

use std::fmt;

use serde_json::{Value, json};

use crate::api3::ApiError;
use crate::auth::AuthError;
use crate::fields::shortened;
use crate::flat;
use crate::form::{Form, Pair, Problem};
use crate::json::{self, Keys};
use crate::limits::{API3_FORM_BYTES, API3_JSON_BYTES, API3_PAIRS, API3_QUERY_BYTES, SIGNED_HEADERS};
use crate::request::HttpRequest;

/// Parameters of every request, which are not parameters of its action.
const COMMON: [&str; 11] = [
    "Action",
    "Version",
    "Region",
    "Timestamp",
    "Nonce",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Token",
    "RequestClient",
    "Language",
];

/// One call of an action of API 3.0.
pub struct Api3Call {
    /// The action, e.g. `SubmitJob`.
    pub action: String,
    /// The version of the API that declares it, e.g. `2017-03-12`.
    pub version: String,
    /// The region asked for.
    pub region: Option<String>,
    /// Who claims to call.
    pub secret_id: String,
    /// When the caller says it signed, in unix seconds.
    pub timestamp: i64,
    /// The language wanted for messages, e.g. `zh-CN`.
    pub language: Option<String>,
    payload: Payload,
    pub(crate) signature: Signature,
}

/// The parameters as they came.
enum Payload {
    Json(Vec<u8>),
    Flat(Vec<Pair>),
}

/// How a call is signed.
pub(crate) enum Signature {
    Header(Tc3),
    Parameter(FormSignature),
}

/// A signature of the TC3-HMAC-SHA256 kind, and what it covers besides the body.
pub(crate) struct Tc3 {
    pub(crate) method: String,
    pub(crate) query: String,
    /// Each signed header, in the order signed.
    pub(crate) headers: Vec<Pair>,
    /// The day in the credential scope, `2017-03-12`.
    pub(crate) date: String,
    /// The service in the credential scope. Not checked: the Node.js SDK takes it from the endpoint's name.
    pub(crate) service: String,
    pub(crate) unsigned_payload: bool,
    /// In hexadecimal digits.
    pub(crate) signature: String,
}

/// A signature that stands in a parameter, and what it covers besides the parameters.
pub(crate) struct FormSignature {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) sha256: bool,
    /// In Base64.
    pub(crate) signature: String,
}

impl Api3Call {
    /// Its signature, if that covers a nonce: then no two calls that a client makes have the same. One of the kind
    /// TC3-HMAC-SHA256 does not.
    #[must_use]
    pub fn single_signature(&self) -> Option<&str> {
        match &self.signature {
            Signature::Header(_) => None,
            Signature::Parameter(signature) => Some(&signature.signature),
        }
    }

    /// Whether the parameters came flat, in a query or form, where every value is a string.
    #[must_use]
    pub fn flattened(&self) -> bool {
        matches!(self.payload, Payload::Flat(_))
    }

    /// The action's parameters, an object. To be asked for once the signature is verified.
    ///
    /// # Errors
    /// `InvalidParameter` with line and column for a body that is not JSON, with the path for flat names
    /// that contradict each other.
    pub fn params(&self) -> Result<Value, ApiError> {
        match &self.payload {
            Payload::Json(body) => parsed(body),
            Payload::Flat(pairs) => {
                let own = pairs.iter().filter(|(name, _)| !COMMON.contains(&name.as_str()));
                flat::rebuild(own.map(|(name, value)| (name.as_str(), value.as_str())))
            }
        }
    }

    /// The body that the signature covers.
    pub(crate) fn body(&self) -> &[u8] {
        match &self.payload {
            Payload::Json(body) => body,
            Payload::Flat(_) => &[],
        }
    }

    /// The parameters that the signature covers.
    pub(crate) fn pairs(&self) -> &[Pair] {
        match &self.payload {
            Payload::Json(_) => &[],
            Payload::Flat(pairs) => pairs,
        }
    }

    pub(super) fn signed_by_header(request: HttpRequest) -> Result<Self, ApiError> {
        check_sizes(&request, API3_JSON_BYTES)?;
        let query = Form::read(request.query.as_bytes(), b"", API3_PAIRS);
        check_form(&query)?;
        let common = |header: &str, name: &str| request.header(header).or_else(|| query.get(name)).map(str::to_owned);
        let action = common("x-tc-action", "Action").ok_or_else(|| missing("Action"))?;
        let version = common("x-tc-version", "Version").ok_or_else(|| missing("Version"))?;
        let (secret_id, signature) = authorization(&request)?;
        let timestamp = common("x-tc-timestamp", "Timestamp").ok_or_else(|| missing("Timestamp"))?;
        Ok(Self {
            action,
            version,
            region: common("x-tc-region", "Region"),
            secret_id,
            timestamp: number(&timestamp, "Timestamp")?,
            language: common("x-tc-language", "Language"),
            signature: Signature::Header(signature),
            payload: payload(request, query)?,
        })
    }

    pub(super) fn signed_by_parameter(request: HttpRequest, form: Form) -> Result<Self, ApiError> {
        check_sizes(&request, API3_FORM_BYTES)?;
        check_form(&form)?;
        let optional = |name: &str| form.get(name).map(str::to_owned);
        let required = |name: &str| optional(name).ok_or_else(|| missing(name));
        let sha256 = match form.get("SignatureMethod") {
            None | Some("HmacSHA1") => false,
            Some("HmacSHA256") => true,
            Some(_) => {
                let message = "SignatureMethod: expected HmacSHA1 or HmacSHA256";
                return Err(ApiError::new("InvalidParameterValue", message));
            }
        };
        number::<u64>(&required("Nonce")?, "Nonce")?;
        Ok(Self {
            action: required("Action")?,
            version: required("Version")?,
            region: optional("Region"),
            secret_id: required("SecretId")?,
            timestamp: number(&required("Timestamp")?, "Timestamp")?,
            language: optional("Language"),
            signature: Signature::Parameter(FormSignature {
                host: request.header("host").unwrap_or_default().to_owned(),
                signature: required("Signature")?,
                method: request.method,
                path: request.path,
                sha256,
            }),
            payload: Payload::Flat(form.pairs),
        })
    }
}

impl fmt::Debug for Api3Call {
    /// Without the parameters, which may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, version, secret_id, .. } = self;
        write!(f, "Api3Call({action} {version} by {secret_id})")
    }
}

fn check_sizes(request: &HttpRequest, body_limit: usize) -> Result<(), ApiError> {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Err(ApiError::new("UnsupportedProtocol", "the method must be GET or POST"));
    }
    let parts = [("query", request.query.len(), API3_QUERY_BYTES), ("body", request.body.len(), body_limit)];
    match parts.iter().find(|(_, bytes, limit)| bytes > limit) {
        Some((part, _, limit)) => {
            let message = format!("the request's {part} is longer than {limit} bytes");
            Err(ApiError::new("RequestSizeLimitExceeded", message))
        }
        None => Ok(()),
    }
}

fn check_form(form: &Form) -> Result<(), ApiError> {
    let message = match &form.problem {
        None => return Ok(()),
        Some(Problem::NotUtf8(name)) => format!("{}: not UTF-8", shortened(name)),
        Some(Problem::Twice(name)) => format!("{}: given twice", shortened(name)),
        Some(Problem::TooMany(limit)) => format!("the request has more than {limit} parameters"),
    };
    Err(ApiError::new("InvalidParameter", message))
}

fn payload(request: HttpRequest, query: Form) -> Result<Payload, ApiError> {
    if request.method == "GET" {
        return Ok(Payload::Flat(query.pairs));
    }
    match query.pairs.iter().find(|(name, _)| !COMMON.contains(&name.as_str())) {
        Some((name, _)) => {
            let name = shortened(name);
            let message = format!("{name}: given in the query; a POST carries parameters in its body");
            Err(ApiError::new("InvalidParameter", message))
        }
        None => Ok(Payload::Json(request.body)),
    }
}

fn parsed(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let not_json = |problem| ApiError::new("InvalidParameter", format!("the body is not JSON: {problem}"));
    let text = std::str::from_utf8(body)
        .map_err(|error| not_json(format!("byte {} is not UTF-8", error.valid_up_to() + 1)))?;
    let value = json::read(text, Keys::AsWritten).map_err(|error| not_json(error.to_string()))?;
    if !value.is_object() {
        let message = "line 1, column 1: the body must be a JSON object, `{…}`";
        return Err(ApiError::new("InvalidParameter", message));
    }
    Ok(value)
}

/// Reads `TC3-HMAC-SHA256 Credential=<id>/<day>/<service>/tc3_request, SignedHeaders=<a;b>, Signature=<hex>`.
fn authorization(request: &HttpRequest) -> Result<(String, Tc3), ApiError> {
    let malformed = |reason: &str| AuthError::Malformed(reason.to_owned()).api3();
    let header = request.header("authorization").ok_or_else(|| malformed("the header is missing"))?;
    let rest = header.strip_prefix("TC3-HMAC-SHA256 ");
    let rest = rest.ok_or_else(|| malformed("it must begin with `TC3-HMAC-SHA256 `"))?;
    let mut parts = rest.split(',').map(str::trim);
    let mut part = |name: &str| {
        let value = parts.next().and_then(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.ok_or_else(|| malformed(&format!("`{name}=` missing; wanted are Credential, SignedHeaders, Signature")))
    };
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let scope = credential.strip_suffix("/tc3_request").and_then(|scope| {
        let (secret_id, scope) = scope.split_once('/')?;
        let (date, service) = scope.split_once('/')?;
        Some((secret_id, date, service))
    });
    let (secret_id, date, service) =
        scope.ok_or_else(|| malformed("Credential must be `SecretId/YYYY-MM-DD/service/tc3_request`"))?;
    let tc3 = Tc3 {
        method: request.method.clone(),
        query: request.query.clone(),
        headers: signed_headers(request, signed).map_err(|reason| malformed(&reason))?,
        date: date.to_owned(),
        service: service.to_owned(),
        unsigned_payload: request.header("x-tc-content-sha256") == Some("UNSIGNED-PAYLOAD"),
        signature: signature.to_owned(),
    };
    Ok((secret_id.to_owned(), tc3))
}

fn signed_headers(request: &HttpRequest, names: &str) -> Result<Vec<Pair>, String> {
    let names: Vec<&str> = names.split(';').take(SIGNED_HEADERS + 1).collect();
    if names.len() > SIGNED_HEADERS {
        return Err(format!("SignedHeaders names more than {SIGNED_HEADERS} headers"));
    }
    if let Some(name) = ["content-type", "host"].iter().find(|name| !names.contains(name)) {
        return Err(format!("SignedHeaders must name `{name}`"));
    }
    let value = |name: &str| {
        let value = request.header(name);
        let value = value.ok_or_else(|| format!("the header `{name}` is signed, but missing"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    names.into_iter().map(value).collect()
}

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, ApiError> {
    let message = || format!("{name}: expected an integer, found \"{}\"", shortened(text));
    text.parse().map_err(|_| ApiError::new("InvalidParameter", message()))
}

fn missing(name: &str) -> ApiError {
    ApiError::new("MissingParameter", format!("{name}: required, but missing"))
}
