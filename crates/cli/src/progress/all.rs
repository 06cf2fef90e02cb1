use std::sync::Arc;

use runner::{Observer, RunEvent};

/// One listener out of several, told in their order.
pub(crate) fn all(observers: Vec<Observer>) -> Observer {
    Arc::new(move |event: &RunEvent| observers.iter().for_each(|observer| observer(event)))
}
