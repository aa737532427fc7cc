use super::*;
use crate::chaos::experiment::{Incident, Target};

fn plan(hosts: &[&str]) -> Plan {
    Plan {
        incident: Incident {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            environments: vec!["shop-eu".to_owned()],
            ..Incident::default()
        },
        target: Target { environment: "staging".to_owned(), ..Target::default() },
        ..Plan::default()
    }
}

fn rails(allow: &[&str], plan: &Plan) -> Result<Rails, RailError> {
    let permissions =
        Permissions { allow: allow.iter().map(|&entry| entry.to_owned()).collect(), allow_production: false };
    Rails::new(&permissions, plan, None)
}

fn at(text: &str) -> Vec<SocketAddr> {
    vec![text.parse().unwrap()]
}

#[test]
fn only_loopback_is_allowed_at_first() {
    let rails = rails(&[], &plan(&["localhost"])).unwrap();
    assert_eq!(rails.check("localhost", 80, &at("127.0.0.1:80")), Ok(()));
    assert_eq!(rails.check("localhost", 80, &at("[::1]:80")), Ok(()));
    assert_eq!(rails.check("mapped", 80, &at("[::ffff:127.0.0.1]:80")), Ok(()));
    let refused = rails.check("staging.internal", 443, &at("10.1.2.3:443")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "staging.internal:443 is at 10.1.2.3, which no entry of `chaos_allow` in the configuration allows"
    );
}

#[test]
fn an_entry_covers_names_or_networks_at_its_port() {
    let rails = rails(&["*.staging.internal:443", "10.7.0.0/16"], &plan(&[])).unwrap();
    assert_eq!(rails.check("shop.staging.internal", 443, &at("10.1.2.3:443")), Ok(()));
    assert!(rails.check("shop.staging.internal", 80, &at("10.1.2.3:80")).is_err());
    assert!(rails.check("staging.internal.evil.com", 443, &at("1.2.3.4:443")).is_err());
    assert_eq!(rails.check("anything", 80, &at("10.7.255.1:80")), Ok(()));
    assert!(rails.check("anything", 80, &at("10.8.0.1:80")).is_err());
    let both = [at("10.7.0.1:80"), at("10.8.0.1:80")].concat();
    assert!(rails.check("anything", 80, &both).is_err(), "each of its addresses has to be allowed");
}

#[test]
fn an_allow_list_cannot_be_wide_open() {
    for entry in ["*", "*.com", "*.*", "10.0.0.0/8", "0.0.0.0/0", "::/0", "a:b", "", "host:99999", "10.0.0.0/33"] {
        assert!(rails(&[entry], &plan(&[])).is_err(), "{entry}");
    }
    assert!(rails(&["127.0.0.0/8", "2001:db8::/32", "[2001:db8::1]:443"], &plan(&[])).is_ok());
}

#[test]
fn what_looks_like_production_is_refused_even_on_the_list() {
    for name in [
        "prod",
        "shop-prod-1",
        "prod.example.com",
        "api.production.example.com",
        "eu_prd",
        "live.example.com",
        "maincluster",
        "main-cluster-2",
    ] {
        assert!(production(name).is_some(), "{name}");
    }
    for name in ["product-service", "reproduce", "alive", "olive.example.com", "staging", "nonproduct"] {
        assert_eq!(production(name), None, "{name}");
    }
    let rails = rails(&["10.0.0.0/16"], &plan(&[])).unwrap();
    assert!(matches!(rails.check("orders.prod.internal", 80, &at("10.0.0.1:80")), Err(RailError::Production { .. })));
    assert!(matches!(rails.check("prod", 80, &at("127.0.0.1:80")), Err(RailError::Production { .. })));
}

#[test]
fn production_needs_the_configuration_and_the_exact_name() {
    let open = |allow_production| Permissions { allow: vec!["10.0.0.0/16".to_owned()], allow_production };
    let check = |permissions: &Permissions, typed| {
        Rails::new(permissions, &plan(&[]), Some(typed)).unwrap().check("orders.prod", 80, &at("10.0.0.1:80"))
    };
    assert_eq!(check(&open(true), "orders.prod"), Ok(()));
    assert!(check(&open(true), "orders").is_err());
    assert!(check(&open(false), "orders.prod").is_err());
}

#[test]
fn where_the_incident_was_is_refused_by_name_and_by_address() {
    let rails = rails(&["10.0.0.0/16", "orders.shop"], &plan(&["Orders.shop", "10.0.0.9"])).unwrap();
    assert!(matches!(rails.check("orders.shop", 80, &at("10.0.0.1:80")), Err(RailError::Incident { .. })));
    assert!(matches!(rails.check("alias", 80, &at("10.0.0.9:80")), Err(RailError::Incident { .. })));
    let mut same = plan(&[]);
    same.target.environment = "Shop-EU".to_owned();
    assert!(matches!(super::Rails::new(&Permissions::default(), &same, None), Err(RailError::Incident { .. })));
}

#[test]
fn a_plan_can_only_narrow() {
    let mut narrow = plan(&[]);
    narrow.target.allow = vec!["127.0.0.1:8080".to_owned()];
    let rails = rails(&[], &narrow).unwrap();
    assert_eq!(rails.check("127.0.0.1", 8080, &at("127.0.0.1:8080")), Ok(()));
    assert!(matches!(rails.check("127.0.0.1", 9090, &at("127.0.0.1:9090")), Err(RailError::NotInPlan { .. })));
}

#[test]
fn a_host_that_moves_is_noticed() {
    let rails = rails(&[], &plan(&[])).unwrap();
    assert_eq!(rails.check_again("127.0.0.1", 80, &at("127.0.0.1:80")), Ok(()));
    assert!(matches!(rails.check_again("127.0.0.1", 80, &at("127.0.0.2:80")), Err(RailError::Moved { .. })));
}
