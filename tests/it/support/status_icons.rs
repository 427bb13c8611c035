//! The part of a desktop that shows tray icons and notifications: the StatusNotifierWatcher and the notification server of
//! freedesktop.org's specifications on the session bus, and the menus behind the icons (com.canonical.dbusmenu).

use std::sync::{Arc, Mutex};

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Value};

const NAME: &str = "org.kde.StatusNotifierWatcher";
const PATH: &str = "/StatusNotifierWatcher";

const NOTIFICATIONS_NAME: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";

/// An icon: who shows it and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    bus_name: String,
    path: String,
}

/// The watcher, for as long as this lives.
pub struct StatusIcons {
    connection: Connection,
    items: Arc<Mutex<Vec<Item>>>,
    notified: Arc<Mutex<Vec<String>>>,
}

struct Notifications(Arc<Mutex<Vec<String>>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        _application: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        _actions: Vec<String>,
        _hints: std::collections::HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut shown = self.0.lock().unwrap();
        shown.push(format!("{summary}: {body}"));
        u32::try_from(shown.len()).unwrap()
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "body-markup".to_owned()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("tests".to_owned(), "creel".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    fn close_notification(&self, _id: u32) {}
}

struct Watcher(Arc<Mutex<Vec<Item>>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// A program registers a path of its own connection, or a bus name.
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: zbus::message::Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let item = if service.starts_with('/') {
            Item { bus_name: sender, path: service.to_owned() }
        } else {
            Item { bus_name: service.to_owned(), path: "/StatusNotifierItem".to_owned() }
        };
        self.0.lock().unwrap().push(item);
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|item| format!("{}{}", item.bus_name, item.path)).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// A layout: id, properties, children.
type Layout = (i32, std::collections::HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl StatusIcons {
    pub fn begin() -> Self {
        let (items, notified) = (Arc::default(), Arc::default());
        let connection = zbus::blocking::connection::Builder::session()
            .and_then(|builder| builder.serve_at(PATH, Watcher(Arc::clone(&items))))
            .and_then(|builder| builder.serve_at(NOTIFICATIONS_PATH, Notifications(Arc::clone(&notified))))
            .and_then(|builder| builder.name(NAME))
            .and_then(|builder| builder.name(NOTIFICATIONS_NAME))
            .and_then(zbus::blocking::connection::Builder::build)
            .expect("a session bus without a tray of its own");
        Self { connection, items, notified }
    }

    pub fn items(&self) -> Vec<Item> {
        self.items.lock().unwrap().clone()
    }

    /// Title and text of every notification so far.
    pub fn notified(&self) -> Vec<String> {
        self.notified.lock().unwrap().clone()
    }

    /// The labels of an icon's menu, in order.
    pub fn menu_of(&self, item: &Item) -> Vec<String> {
        self.entries(item).into_iter().map(|(_, label)| label).collect()
    }

    /// Chooses an entry of an icon's menu.
    pub fn click(&self, item: &Item, label: &str) {
        let entries = self.entries(item);
        let (id, _) = entries.iter().find(|(_, found)| found == label).unwrap_or_else(|| panic!("{entries:?}"));
        let event = (*id, "clicked", Value::from(0_i32), 0_u32);
        self.menu(item).call::<_, _, ()>("Event", &event).expect("the menu takes a click");
    }

    fn entries(&self, item: &Item) -> Vec<(i32, String)> {
        let asked = (0_i32, -1_i32, Vec::<String>::new());
        let (_, layout): (u32, Layout) = self.menu(item).call("GetLayout", &asked).expect("the menu's layout");
        let entries = layout.2.into_iter().filter_map(|child| Layout::try_from(child).ok());
        entries
            .filter_map(|(id, properties, _)| {
                let label = properties.get("label")?.downcast_ref::<&str>().ok()?.replace('_', "");
                Some((id, label))
            })
            .collect()
    }

    fn menu(&self, item: &Item) -> Proxy<'_> {
        let icon = Proxy::new(&self.connection, item.bus_name.clone(), item.path.clone(), "org.kde.StatusNotifierItem");
        let path: zbus::zvariant::OwnedObjectPath = icon.and_then(|icon| icon.get_property("Menu")).expect("a menu");
        Proxy::new(&self.connection, item.bus_name.clone(), path, "com.canonical.dbusmenu").expect("the menu")
    }
}
