//! What is counted, and how Prometheus reads it.
//!
//! Counters are plain atomics behind handles that are looked up once for each route, because the
//! path of a cached token must cost next to nothing.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};

/// Upper ends of the latency buckets, in microseconds.
const BUCKETS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Meters {
    routes: RwLock<HashMap<(Method, String), Arc<RouteMeter>>>,
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
pub struct RouteMeter {
    statuses: Mutex<BTreeMap<u16, u64>>,
    buckets: [AtomicU64; BUCKETS_US.len()],
    count: AtomicU64,
    total_us: AtomicU64,
}

impl Meters {
    /// Counts an answer. `route` is the pattern of the route, never a path.
    pub fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        self.route(method, route).count(status, took);
    }

    fn route(&self, method: &Method, route: &str) -> Arc<RouteMeter> {
        // A method that is not one of the usual ones must not grow the table.
        let method = if is_usual(method) { method.clone() } else { Method::TRACE };
        let key = (method, route.to_owned());
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            routes.entry(key).or_default().clone()
        })
    }

    /// Counts something that happens seldom. `labels` are few and never a person's.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let line = format!("{name}{{{}}}", labels.join(","));
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
        let mut routes: Vec<_> = routes.iter().collect();
        routes.sort_by(|((a_method, a), _), ((b_method, b), _)| {
            (a, a_method.as_str()).cmp(&(b, b_method.as_str()))
        });
        let _ = writeln!(out, "# TYPE luminous_requests_total counter");
        for ((method, route), meter) in &routes {
            meter.render_statuses(out, &format!("method=\"{method}\",route=\"{route}\""));
        }
        let _ = writeln!(out, "# TYPE luminous_request_duration_seconds histogram");
        for ((method, route), meter) in &routes {
            meter.render_latency(out, &format!("method=\"{method}\",route=\"{route}\""));
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
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        *statuses.entry(status.as_u16()).or_default() += 1;
    }

    fn render_statuses(&self, out: &mut String, labels: &str) {
        for (status, count) in self.statuses.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ =
                writeln!(out, "luminous_requests_total{{{labels},status=\"{status}\"}} {count}");
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

fn is_usual(method: &Method) -> bool {
    [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT, Method::HEAD]
        .contains(method)
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
