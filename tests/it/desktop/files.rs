//! What only the window can do with files: saving a body, and remembering its own place.

use std::fs;

use super::super::support::{Home, list, until};
use super::{Desktop, SCREENS, driver, row_of};
use serde_json::{Value, json};

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn a_downloaded_body_is_a_file_with_every_byte() {
    let Some(driver) = driver() else { return };
    let desktop = Desktop::open(&driver, &Home::new());
    desktop.window.wait_for(SCREENS);
    let made = desktop.api("POST", "/endpoints", &json!({ "name": "Files" })).expect_json(201);
    let body: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let endpoint = super::super::support::Endpoint::of(&made);
    let request = endpoint.post(body.clone()).header("X-Event-Type", "label.printed");
    desktop.send(&request.header("Content-Type", "application/octet-stream")).expect_json(200);

    let window = &desktop.window;
    window.click(&row_of("label.printed"));
    window.click("//*[@role='tab'][starts-with(normalize-space(),'Body')]");
    window.click("//button[normalize-space()='Download']");
    let saved = until("the file is there", || {
        let entries = fs::read_dir(desktop.user_home()).ok()?.flatten();
        let file = entries.map(|entry| entry.path()).find(|path| path.extension().is_some())?;
        (fs::metadata(&file).ok()?.len() == 5_000).then_some(file)
    });
    assert_eq!(fs::read(&saved).unwrap(), body);
    let rows = list(&desktop.api("GET", "/deliveries", &Value::Null).expect_json(200), "deliveries");
    let name = saved.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.contains(rows[0]["id"].as_str().unwrap()), "{name} does not say which delivery it is");
}

#[test]
#[ignore = "needs a display: cargo xtask test"]
fn the_window_opens_as_large_as_it_was_and_never_where_no_screen_is() {
    let Some(driver) = driver() else { return };
    let home = Home::new();
    let remembered = |x: i32, width: u32| {
        let geometry = json!({ "x": x, "y": 60, "width": width, "height": 600, "maximized": false });
        fs::create_dir_all(home.data()).unwrap();
        fs::write(home.data().join("window.json"), json!({ "geometry": geometry }).to_string()).unwrap();
    };
    for (x, width) in [(40, 1010), (90_000, 980)] {
        remembered(x, width);
        let desktop = Desktop::open(&driver, &home);
        desktop.window.wait_for(SCREENS);
        until("it has its size again", || {
            (desktop.window.run("return window.innerWidth") == json!(width)).then_some(())
        });
        let left = desktop.window.run("return window.screenX").as_i64().unwrap();
        assert!((0..1400).contains(&left), "the window is at {left}, where nobody finds it");
        desktop.close();
        let kept: Value = serde_json::from_slice(&fs::read(home.data().join("window.json")).unwrap()).unwrap();
        assert_eq!(kept["geometry"]["width"], width, "{kept}");
    }
}
