use std::sync::Mutex;

static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Keeps a panic's place instead of printing its text: the text may hold a record's value. With
/// `RUST_BACKTRACE` set, which only a developer does, everything is printed.
pub(crate) fn remember_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        if let Ok(mut kept) = PLACE.lock() {
            kept.get_or_insert(place);
        }
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(panic);
        }
    }));
}

/// Where the first panic was.
pub(crate) fn panic_place() -> String {
    PLACE.lock().ok().and_then(|place| place.clone()).unwrap_or_else(|| "an unknown place".to_owned())
}
