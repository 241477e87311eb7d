cat >r.rs <<'X'
use std::collections::HashMap;
fn main() {
    let t: Vec<_> = (1..=8u64).map(|n| std::thread::spawn(move || {
        let mut m = HashMap::new();
        for i in 0..40_000u64 { m.insert(format!("k{}", i * n), vec![n as u8; (i % 60) as usize]); }
        m.values().map(|v| v.len()).sum::<usize>() })).collect();
    println!("{:?}", t.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>());
    std::panic::set_hook(Box::new(|_| {}));
    println!("{}", std::panic::catch_unwind(|| panic!("no")).is_err());
    std::process::exit(4);
}
X
rustc -O r.rs
