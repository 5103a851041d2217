//! Validation of query parameters: unknown ones are refused, so that a misspelt filter isn't silently ignored.
//!
//! It applies below `/api/` only: monitoring tools add parameters of their own to other paths, which have no filters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crewbell_shared::Refusal;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

use super::ApiError;

/// The query parameters of each operation, from the OpenAPI document.
#[derive(Debug)]
pub(super) struct Questions(BTreeMap<String, Operations>);

/// Parameter names by method.
type Operations = BTreeMap<&'static str, BTreeSet<String>>;

impl Questions {
    /// Collects the query parameters of a document.
    pub(super) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let methods = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("DELETE", &item.delete)];
            let methods = methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)));
            (path.clone(), methods.map(|(method, operation)| (method, names(operation))).collect())
        });
        Self(paths.collect())
    }

    /// Returns a parameter of a request that its operation doesn't have.
    fn stranger(&self, request: &Request) -> Option<String> {
        let path = request.extensions().get::<MatchedPath>().filter(|path| path.as_str().starts_with("/api/"))?;
        let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
        let known = self.0.get(path.as_str())?.get(method)?;
        // The handler's own extractor refuses an unreadable query.
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).ok()?;
        pairs.into_iter().map(|(name, _)| name).find(|name| !known.contains(name))
    }
}

fn names(operation: &Operation) -> BTreeSet<String> {
    let parameters = operation.parameters.iter().flatten();
    let parameters = parameters.filter_map(|one| if let RefOr::T(one) = one { Some(one) } else { None });
    parameters.filter(|one| one.parameter_in == ParameterIn::Query).map(|one| one.name.clone()).collect()
}

/// Refuses a request with a query parameter that its operation doesn't have, and names it.
pub(super) async fn refuse_unknown(State(questions): State<Arc<Questions>>, request: Request, next: Next) -> Response {
    match questions.stranger(&request) {
        None => next.run(request).await,
        Some(name) => {
            let name: String = name.chars().take(100).collect();
            ApiError(Refusal::invalid(&name, format!("There is no parameter {name:?} here."))).into_response()
        }
    }
}
