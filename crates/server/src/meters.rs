//! What is counted, and how Prometheus reads it.
//!
//! Plain atomics and one look-up by the route's pattern, without an allocation: the path of a cached
//! token must cost next to nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};

/// Upper ends of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// The statuses that are told apart, the usual first; all others count together.
const STATUSES: [u16; 20] = [
    200, 201, 204, 302, 303, 304, 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503,
    507,
];
/// The methods that are told apart; all others count as the last.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "other"];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Meters {
    routes: RwLock<BTreeMap<String, [Arc<RouteMeter>; METHODS.len()]>>,
    /// Tokens that were remembered.
    pub claims_hits: AtomicU64,
    /// Tokens that had to be verified.
    pub claims_misses: AtomicU64,
    /// Requests being worked on.
    pub in_flight: AtomicU64,
    others: Mutex<BTreeMap<String, u64>>,
}

/// The figures of one route and method.
#[derive(Debug, Default)]
struct RouteMeter {
    statuses: [AtomicU64; STATUSES.len() + 1],
    buckets: [AtomicU64; BUCKETS_US.len()],
    count: AtomicU64,
    total_us: AtomicU64,
}

impl Meters {
    /// Counts an answer. `route` is the pattern of the route, never a path.
    pub fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let at = METHODS.iter().position(|known| *known == method.as_str());
        let at = at.unwrap_or(METHODS.len() - 1);
        {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(meters) = routes.get(route) {
                return meters[at].count(status, took);
            }
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.to_owned()).or_default()[at].count(status, took);
    }

    /// Counts something that happens seldom. `labels` are few and never a person's.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let line = match labels.as_slice() {
            [] => name.to_owned(),
            labels => format!("{name}{{{}}}", labels.join(",")),
        };
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        *others.entry(line).or_default() += 1;
    }

    /// All figures, in the text format of Prometheus.
    #[must_use]
    pub fn render(&self, claims_entries: usize) -> String {
        let mut out = String::new();
        self.render_routes(&mut out);
        for (name, kind, value) in [
            ("luminous_claims_cache_hits_total", "counter", load(&self.claims_hits)),
            ("luminous_claims_cache_misses_total", "counter", load(&self.claims_misses)),
            ("luminous_claims_cache_entries", "gauge", claims_entries as u64),
            ("luminous_requests_in_flight", "gauge", load(&self.in_flight)),
        ] {
            let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
        }
        let mut last = String::new();
        for (line, value) in self.others.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let name = line.split('{').next().unwrap_or_default();
            if name != last {
                let _ = writeln!(out, "# TYPE {name} counter");
                name.clone_into(&mut last);
            }
            let _ = writeln!(out, "{line} {value}");
        }
        out
    }

    fn render_routes(&self, out: &mut String) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let met: Vec<_> = routes
            .iter()
            .flat_map(|(route, meters)| METHODS.iter().zip(meters).map(move |one| (route, one)))
            .filter(|(_, (_, meter))| load(&meter.count) > 0)
            .map(|(route, (method, meter))| {
                (format!("method=\"{method}\",route=\"{route}\""), meter)
            })
            .collect();
        let _ = writeln!(out, "# TYPE luminous_requests_total counter");
        for (labels, meter) in &met {
            meter.render_statuses(out, labels);
        }
        let _ = writeln!(out, "# TYPE luminous_request_duration_seconds histogram");
        for (labels, meter) in &met {
            meter.render_latency(out, labels);
        }
    }
}

impl RouteMeter {
    fn count(&self, status: StatusCode, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(at) = BUCKETS_US.iter().position(|&end| took_us <= end) {
            self.buckets[at].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.total_us.fetch_add(took_us, Ordering::Relaxed);
        let at = STATUSES.iter().position(|known| *known == status.as_u16());
        self.statuses[at.unwrap_or(STATUSES.len())].fetch_add(1, Ordering::Relaxed);
    }

    fn render_statuses(&self, out: &mut String, labels: &str) {
        let names = STATUSES.iter().map(u16::to_string).chain(["other".to_owned()]);
        for (status, count) in names.zip(&self.statuses) {
            let count = load(count);
            if count > 0 {
                let _ = writeln!(
                    out,
                    "luminous_requests_total{{{labels},status=\"{status}\"}} {count}"
                );
            }
        }
    }

    fn render_latency(&self, out: &mut String, labels: &str) {
        let name = "luminous_request_duration_seconds";
        let mut below = 0;
        for (end, bucket) in BUCKETS_US.iter().zip(&self.buckets) {
            below += load(bucket);
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {below}", seconds(*end));
        }
        let count = load(&self.count);
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", seconds(load(&self.total_us)));
        let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let meters = Meters::default();
        let took = Duration::from_micros(700);
        meters.answered(&Method::GET, "/api/me", StatusCode::OK, took);
        meters.answered(&Method::GET, "/api/me", StatusCode::UNAUTHORIZED, took);
        meters.answered(&"BREW".parse().unwrap(), "unmatched", StatusCode::NOT_FOUND, took);
        meters.claims_hits.fetch_add(3, Ordering::Relaxed);
        meters.count("luminous_connector_calls_total", &[("outcome", "continue")]);
        insta::assert_snapshot!(meters.render(1));
    }
}
