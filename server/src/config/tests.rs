//! Tests of the sources of settings and of the errors.

use super::keys::{KEYS, Kind};
use super::*;
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    serve: ServeArgs,
}

fn flags(words: &[&str]) -> ServeArgs {
    Command::parse_from([&["serve"], words].concat()).serve
}

/// Returns an environment whose data folder doesn't exist, so that no file of this machine is read.
fn around(variables: &[(&str, &str)]) -> Surroundings {
    let nowhere = ("CREWBELL_DATA_DIR", "/nowhere/crewbell");
    alone(&[&[nowhere], variables].concat())
}

fn alone(variables: &[(&str, &str)]) -> Surroundings {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Surroundings { variables: variables.iter().map(owned).collect(), is_root: false }
}

/// Resolves the settings with a file of this text.
fn with_file(text: &str, words: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crewbell.toml");
    std::fs::write(&path, text).unwrap();
    let mut args = flags(words);
    args.config = Some(path.clone());
    let resolved = resolve(&args, &around(variables));
    let shorten = |e: ConfigError| e.to_string().replace(&path.display().to_string(), "crewbell.toml");
    resolved.map(|resolved| resolved.config).map_err(shorten)
}

#[test]
fn nothing_said_is_the_defaults() {
    let resolved = resolve(&ServeArgs::default(), &around(&[("CREWBELL_CONFIG", "")])).unwrap();
    let data_dir = PathBuf::from("/nowhere/crewbell");
    assert_eq!(resolved.config, Config { data_dir, ..Config::default() });
    assert_eq!(resolved.warnings, Vec::<String>::new());
}

#[test]
fn the_printed_file_says_the_defaults() {
    let printed: Config = toml::from_str(&commented_defaults()).unwrap();
    assert_eq!(printed, Config::default());
}

#[test]
fn the_printed_file_shows_and_explains_every_setting() {
    let printed = commented_defaults();
    for key in KEYS {
        assert!(key.about.len() > 15, "{} is not explained", key.path);
        assert!(printed.contains(&format!("({})", key.variable())), "{}", key.path);
        let mark = if key.default.is_some() { "\n" } else { "\n# " };
        assert!(printed.contains(&format!("{mark}{} = ", key.name())), "{}", key.path);
    }
    // The commented-out examples must be accepted values too.
    let all: String = printed
        .lines()
        .filter_map(|line| {
            let bare = line
                .strip_prefix("# ")
                .filter(|bare| KEYS.iter().any(|key| bare.starts_with(&format!("{} = ", key.name()))));
            bare.or_else(|| (!line.starts_with('#')).then_some(line)).map(|line| format!("{line}\n"))
        })
        .collect();
    toml::from_str::<Config>(&all).unwrap();
}

/// Takes the field names from serde's error, so that a field without a line in the table is found.
#[test]
fn every_field_is_in_the_table_of_settings() {
    for section in ["", "http", "mqtt", "mqtt.external", "tls", "calls", "database", "log", "backup", "retention"] {
        let head = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        let message = toml::from_str::<Config>(&format!("{head}zzz = 1")).unwrap_err().message().to_owned();
        let fields: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        assert!(!fields.is_empty(), "{message}");
        for field in fields {
            let path = if section.is_empty() { field.to_owned() } else { format!("{section}.{field}") };
            let is_section = KEYS.iter().any(|key| key.path.starts_with(&format!("{path}.")));
            assert!(is_section || KEYS.iter().any(|key| key.path == path), "{path} is missing in keys.rs");
        }
    }
}

#[test]
fn a_wrong_line_in_the_file_is_named_with_what_would_be_right() {
    for (text, place, right) in [
        ("[http]\nlisten = \"8080\"\n", "line 2, column 10", "`8080` is no address to listen on; write IP:PORT"),
        ("[http]\n\nlisten = 8080\n", "line 3, column 10", "expected a string"),
        ("[http]\nlisen = \"0.0.0.0:1\"\n", "line 2, column 1", "unknown field `lisen`, expected one of `listen`"),
        ("[htpp]\n", "line 1, column 2", "unknown field `htpp`, expected one of `data_dir`, `http`"),
        ("# ä\n[mqtt]\nmode = \"embeded\"\n", "line 3, column 8", "expected `embedded` or `external`"),
        ("[mqtt]\nanonymous = \"yes\"\n", "line 2, column 13", "expected a boolean"),
        ("[mqtt]\ntopic_prefix = \"a/#\"\n", "line 2, column 16", "without + and #"),
        ("[database]\nacquire_timeout = \"5 parsecs\"\n", "line 2, column 19", "such as 500ms, 20s, 5m"),
        ("[database]\npool_max = 0\n", "line 2, column 12", "expected a nonzero u32"),
        ("[log]\nlevel = \"loud\"\n", "line 2, column 9", "write off, error, warn, info"),
        ("[mqtt.external]\nurl = \"http://x\"\n", "line 2, column 7", "write mqtt://HOST:1883"),
        ("[retention]\npresses = -1\n", "line 2, column 11", "write 0, which keeps for ever, to 3650"),
        ("[retention]\nrecordings = 4000\n", "line 2, column 14", "`4000` is no number of days"),
        ("[http\n", "line 1, column 6", ""),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"\n", "line 3, column 1", "duplicate key"),
    ] {
        let error = with_file(text, &[], &[]).unwrap_err();
        assert!(error.starts_with(&format!("crewbell.toml, {place}: ")), "{text}: {error}");
        assert!(error.contains(right), "{text}: {error}");
    }
}

#[test]
fn settings_that_do_not_fit_together_are_named_where_they_were_said() {
    for (text, words, variables, expected) in [
        ("[mqtt]\nmode = \"external\"\n", &[][..], &[][..], "mqtt.external.url (not set): needed because mqtt.mode"),
        ("[database]\n\npool_min = 99\n", &[], &[], "database.pool_min (crewbell.toml, line 3): must not be more"),
        ("", &[], &[("CREWBELL_DATABASE_POOL_MIN", "99")], "database.pool_min (CREWBELL_DATABASE_POOL_MIN): must not"),
        ("", &["--tls-cert", "c.pem"], &[], "tls.key (not set): needed because tls.cert"),
        (
            "[mqtt]\ntls_listen = \"0.0.0.0:8883\"\n[mqtt.external]\nurl = \"mqtt://b\"\nsite = \"s\"",
            &["--mqtt-mode", "external"],
            &[],
            "mqtt.tls_listen (crewbell.toml, line 2): nothing listens",
        ),
    ] {
        let error = with_file(text, words, variables).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let file = "[http]\nlisten = \"127.0.0.1:1\"\ndrain = \"1s\"\n[log]\nlevel = \"warn\"\n[backup]\nkeep = 3\n";
    let variables =
        [("CREWBELL_HTTP_LISTEN", "127.0.0.1:2"), ("CREWBELL_LOG_LEVEL", "debug"), ("CREWBELL_HTTP_TLS", "on")];
    let config = with_file(file, &["--http", "127.0.0.1:0", "--set", "http.drain=1m 30s"], &variables).unwrap();
    assert_eq!(config.http.listen, "127.0.0.1:0".parse().unwrap());
    assert_eq!(config.http.drain, Duration::from_secs(90));
    assert!(config.http.tls);
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.backup.keep.get(), 3);
    assert_eq!(config.mqtt, Mqtt::default());
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, right) in [
        ("CREWBELL_HTTP_LISTEN", "localhost", "`localhost` is no address to listen on"),
        ("CREWBELL_BACKUP_KEEP", "many", "`many` is no whole number"),
        ("CREWBELL_BACKUP_KEEP", "0", "expected a nonzero u32"),
        ("CREWBELL_MQTT_ANONYMOUS", "maybe", "write true or false"),
        ("CREWBELL_MQTT_MODE", "both", "expected `embedded` or `external`"),
    ] {
        let error = resolve(&ServeArgs::default(), &around(&[(name, value)])).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: ")) && error.contains(right), "{error}");
    }
}

#[test]
fn a_wrong_flag_is_named() {
    for (words, right) in [
        (&["--http", "8080"][..], "IP:PORT"),
        (&["--log-level", "loud"], "--log-level"),
        (&["--backup-keep", "0"], "--backup-keep"),
        (&["--set", "http"], "KEY=VALUE"),
    ] {
        let error = Command::try_parse_from([&["serve"], words].concat()).err().unwrap().to_string();
        assert!(error.contains(right), "{error}");
    }
    let error = resolve(&flags(&["--set", "http.lisen=x"]), &around(&[])).unwrap_err().to_string();
    assert!(error.starts_with("--set http.lisen: no such setting") && error.contains("http.listen"), "{error}");
}

#[test]
fn every_setting_can_be_said_in_the_environment() {
    for key in KEYS {
        let text = key.example.trim_matches('"');
        let own = key.variable();
        // The settings that the joint checks require beside it.
        let beside = [
            ("CREWBELL_TLS_CERT", "c"),
            ("CREWBELL_TLS_KEY", "k"),
            ("CREWBELL_DATABASE_URL", "u"),
            ("CREWBELL_MQTT_EXTERNAL_USERNAME", "n"),
            ("CREWBELL_CALLS_TURN_SECRET", "s"),
        ];
        let mut variables = beside.to_vec();
        variables.push((&own, text));
        let resolved = resolve(&ServeArgs::default(), &around(&variables)).unwrap();
        assert_eq!(resolved.warnings, Vec::<String>::new(), "{}", key.path);
        assert!(key.kind == Kind::Text || !key.example.starts_with('"'), "{}", key.path);
    }
}

#[test]
fn a_misspelt_variable_is_told() {
    let resolved =
        resolve(&ServeArgs::default(), &around(&[("CREWBELL_HTPP_LISTEN", "x"), ("CREWBELL_PG_BIN", "/x")])).unwrap();
    assert_eq!(resolved.warnings, ["the environment variable CREWBELL_HTPP_LISTEN is no setting and has no effect"]);
}

#[test]
fn secrets_are_never_shown() {
    let file = "[database]\nurl = \"postgres://a:hush@b/c\"\n[mqtt.external]\nusername = \"u\"\npassword = \"hush\"\n";
    let args = flags(&["--database-owner-url", "postgres://o:hush@b/c", "--set", "mqtt.external.password=hush"]);
    let config = with_file(file, &["--database-owner-url", "postgres://o:hush@b/c"], &[]).unwrap();
    assert_eq!(config.database.url.as_ref().unwrap().expose(), "postgres://a:hush@b/c");
    for shown in [format!("{config:?}"), format!("{args:?}")] {
        assert!(shown.contains("(secret)") && !shown.contains("hush"), "{shown}");
    }
    for wrong in [
        "[database]\nurl = \"postgres://a:hush@b/c\n",
        "[mqtt.external]\npassword = [\"hush\"]\n",
        "[mqtt.external]\nurl = \"mqtt://a:hush@b\"\n",
    ] {
        let error = with_file(wrong, &[], &[]).unwrap_err();
        assert!(error.contains("line 2") && !error.contains("hush"), "{error}");
    }
    let error =
        resolve(&ServeArgs::default(), &around(&[("CREWBELL_MQTT_EXTERNAL_URL", "mqtt://a:hush@b")])).unwrap_err();
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[test]
fn the_data_folder_is_where_the_platform_keeps_data() {
    let person = |variables: &[(&str, &str)]| alone(variables).default_data_dir();
    let root = Surroundings { is_root: true, ..alone(&[("HOME", "/root")]) };
    assert_eq!(root.default_data_dir(), PathBuf::from("/var/lib/crewbell"));
    let said = resolve(&ServeArgs::default(), &around(&[("HOME", "/h")])).unwrap();
    assert_eq!(said.config.data_dir, PathBuf::from("/nowhere/crewbell"));
    assert_eq!(person(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]), PathBuf::from("/x/crewbell"));
    assert_eq!(person(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]), PathBuf::from("/h/.local/share/crewbell"));
    assert_eq!(person(&[]), PathBuf::from(".crewbell"));
}

#[test]
fn the_file_in_the_data_folder_is_read_and_a_named_one_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("crewbell.toml"), "[log]\nlevel = \"warn\"\n").unwrap();
    let args = ServeArgs { data_dir: Some(folder.path().to_owned()), ..ServeArgs::default() };
    let resolved = resolve(&args, &around(&[])).unwrap();
    assert_eq!(resolved.config.log.level, "warn");
    assert_eq!(resolved.file, Some(folder.path().join("crewbell.toml")));
    let missing = ServeArgs { config: Some(folder.path().join("other.toml")), ..ServeArgs::default() };
    let error = resolve(&missing, &around(&[])).unwrap_err().to_string();
    assert!(error.contains("other.toml"), "{error}");
}
