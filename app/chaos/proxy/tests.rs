//! Links, seen from both ends.

mod http1;
mod http2;
mod peer;
mod process;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use riftline_queries::replay::fault::{Fault, Magnitude, Place, When};
use serde_json::Map;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::{Link, LinkSpec, Protocol};
use crate::chaos::proxy::registry::{Registry, RegistryError};

async fn raw_link(registry: &Registry, upstream: &TcpListener) -> Arc<Link> {
    let upstream = upstream.local_addr().unwrap().to_string();
    let spec = LinkSpec { protocol: Protocol::Tcp, ..LinkSpec::new("raw", "127.0.0.1:0", &upstream) };
    registry.create(spec).await.unwrap()
}

async fn pair(registry: &Registry) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = raw_link(registry, &listener).await;
    let client = TcpStream::connect(link.address().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

fn latency(ms: f64) -> Fault {
    Fault {
        kind: "latency".to_owned(),
        place: Place::Connection,
        when: When::default(),
        magnitude: Some(Magnitude::Fixed { ms }),
        with: Map::new(),
    }
}

#[tokio::test]
async fn either_side_may_stop_talking_first() {
    let (mut client, mut server) = pair(&Registry::default()).await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = Vec::new();
    server.read_to_end(&mut question).await.unwrap();
    assert_eq!(question, b"question");
    let answer = vec![7; 3 << 20];
    let ((), heard) = tokio::join!(
        async {
            server.write_all(&answer).await.unwrap();
            server.shutdown().await.unwrap();
        },
        async {
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).await.unwrap();
            heard
        }
    );
    assert_eq!(heard, answer);
}

#[tokio::test]
async fn a_reset_of_the_server_reaches_the_client() {
    let (mut client, server) = pair(&Registry::default()).await;
    server.set_zero_linger().unwrap();
    drop(server);
    let error = client.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn faults_of_bytes_reach_connections_that_exist() {
    let registry = Registry::default();
    let (mut client, mut server) = pair(&registry).await;
    let armed = registry.arm("raw", Armed::new("slow".into(), None, latency(50.0), 1).unwrap()).unwrap();
    let mut buffer = [0; 1];
    let mut echo = async |client: &mut TcpStream| {
        server.write_all(b"x").await.unwrap();
        let start = Instant::now();
        client.read_exact(&mut buffer).await.unwrap();
        start.elapsed()
    };
    // The first byte may pass before the connection has heard of the fault.
    echo(&mut client).await;
    assert!(echo(&mut client).await >= Duration::from_millis(45));
    assert_eq!(armed.tally().hit, 1);
    registry.disarm("raw", "slow").unwrap();
    assert!(matches!(registry.disarm("raw", "slow"), Err(RegistryError::NoFault { .. })));
    echo(&mut client).await;
}

#[tokio::test]
async fn faults_of_a_run_end_with_its_lease() {
    let registry = Arc::new(Registry::default());
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = raw_link(&registry, &upstream).await;
    let keeper = tokio::spawn({
        let registry = registry.clone();
        async move { registry.keep_leases().await }
    });
    registry.arm("raw", Armed::new("a".into(), Some("run".into()), latency(1.0), 1).unwrap()).unwrap();
    registry.arm("raw", Armed::new("b".into(), None, latency(1.0), 1).unwrap()).unwrap();
    assert!(registry.leases()[0].1 > Duration::from_secs(1), "arming alone gives a lease");
    let (renewed, ttl) = (Instant::now(), Duration::from_millis(200));
    assert!(registry.lease("run", ttl));
    assert_eq!(link.armed().len(), 2);
    link.watch_armed().wait_for(|faults| faults.len() == 1).await.unwrap();
    assert!(renewed.elapsed() >= ttl);
    assert_eq!(link.armed()[0].name, "b");
    keeper.abort();
}

#[tokio::test]
async fn a_link_that_is_switched_off_closes_and_comes_back_on_its_port() {
    let registry = Registry::default();
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = raw_link(&registry, &upstream).await;
    let address = link.address().unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    upstream.accept().await.unwrap();
    registry.enable("raw", false).await.unwrap();
    assert_eq!(link.address(), None);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err());
    registry.enable("raw", true).await.unwrap();
    assert_eq!(link.address(), Some(address));
    assert!(TcpStream::connect(address).await.is_ok());
}

#[tokio::test]
async fn other_machines_are_let_in_only_where_allowed() {
    let result = Registry::default().create(LinkSpec::new("open", "0.0.0.0:0", "127.0.0.1:1")).await;
    assert!(matches!(result, Err(RegistryError::Spec { .. })));
}
