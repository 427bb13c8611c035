use super::*;

#[test]
fn a_missing_directory_is_no_failure_and_a_file_in_its_place_is() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(directory(dir.path()).health, Health::Ok);
    assert_eq!(directory(&dir.path().join("absent")).health, Health::Warn);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(directory(&file).health, Health::Fail);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_named_with_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let file = dir.path().join("run.json");
    fs::write(&file, "{}").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(permissions(dir.path()).health, Health::Ok);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let check = permissions(dir.path());
    assert_eq!(check.health, Health::Warn);
    assert!(check.message.contains("run.json has mode 0644"), "{}", check.message);
}

#[test]
fn a_newer_schema_fails_and_leaves_the_file_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE_FILE);
    assert_eq!(schema(dir.path()).health, Health::Ok);
    let mut head = b"SQLite format 3\0".to_vec();
    head.resize(100, 0);
    for (version, health) in [(supported_version(), Health::Ok), (supported_version() + 1, Health::Fail)] {
        head[60..64].copy_from_slice(&i32::try_from(version).unwrap().to_be_bytes());
        fs::write(&path, &head).unwrap();
        assert_eq!(schema(dir.path()).health, health, "{version}");
        assert_eq!(fs::read(&path).unwrap(), head);
    }
}

#[test]
fn a_file_that_is_no_database_fails() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(DATABASE_FILE), "hello").unwrap();
    assert_eq!(schema(dir.path()).health, Health::Fail);
    fs::write(dir.path().join(DATABASE_FILE), "").unwrap();
    assert_eq!(schema(dir.path()).health, Health::Ok);
}

#[test]
fn a_port_in_use_is_a_warning_that_names_the_flag() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let check = free_port("ingress port", address, "--ingress");
    assert_eq!(check.health, Health::Warn);
    assert!(check.help.unwrap().contains("--ingress"));
    drop(listener);
    assert_eq!(free_port("ingress port", address, "--ingress").health, Health::Ok);
}

#[test]
fn a_clock_before_this_program_fails_and_one_that_was_set_back_warns() {
    let dir = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    assert_eq!(clock(dir.path(), now).health, Health::Ok);
    assert_eq!(clock(dir.path(), SystemTime::UNIX_EPOCH).health, Health::Fail);
    fs::write(dir.path().join(DATABASE_FILE), "").unwrap();
    assert_eq!(clock(dir.path(), now).health, Health::Ok);
    let an_hour_ago = now - Duration::from_secs(3600);
    if an_hour_ago > SystemTime::UNIX_EPOCH + Duration::from_secs(CLOCK_SECONDS_MIN) {
        assert_eq!(clock(dir.path(), an_hour_ago).health, Health::Warn);
    }
}

#[tokio::test]
async fn a_run_file_of_a_dead_process_is_a_warning_when_nobody_owns_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let run = json!({"pid": u32::MAX, "version": "0", "started_at": "2026-01-01T00:00:00.000Z",
        "ingress_url": "http://127.0.0.1:1", "admin_url": "http://127.0.0.1:1", "admin_token": "t"});
    fs::write(RunFile::path(dir.path()), run.to_string()).unwrap();
    let (check, client) = engine(dir.path(), None).await;
    assert_eq!(check.health, Health::Warn);
    assert!(client.is_none());
    let (check, _) = engine(dir.path(), Some(7)).await;
    assert_eq!(check.health, Health::Fail);
}

#[tokio::test]
async fn an_empty_directory_without_an_engine_has_nothing_that_fails_but_what_the_machine_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let checks = all(dir.path()).await;
    let failed: Vec<_> = checks.iter().filter(|check| check.health == Health::Fail).map(|check| check.name).collect();
    assert!(failed.iter().all(|name| *name == "disk space"), "{failed:?}");
    let with_help = checks.iter().filter(|check| check.health != Health::Ok).all(|check| check.help.is_some());
    assert!(with_help, "every warning says what to do");
}
