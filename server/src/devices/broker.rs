//! External broker.
use std::path::PathBuf;
use std::sync::Arc;
use crate::devices::door::Door;
use crate::house::House;
use tokio_util::sync::CancellationToken;
#[derive(Clone, Debug)]
pub struct BrokerSettings { pub url: String, pub username: Option<String>, pub password: Option<String>, pub client_id: Option<String>, pub site: String, pub ca_file: Option<PathBuf> }
pub async fn run(_: House, _: Door, _: Arc<str>, _: BrokerSettings, stop: CancellationToken) { stop.cancelled().await }
