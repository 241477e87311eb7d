// truth_rust.rs - blocks of which it is known whether anything holds them, in Rust's containers.
//
// As truth.cpp: each case allocates in a function of its own, whose name says what is true.  Cases run in threads that
// end, so that no stale word of theirs stays on a stack.  At the end a snapshot says who holds what; run.py compares.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{c_char, c_int, c_void, CString};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};

type Take = extern "C" fn(*const c_char, c_int) -> c_int;

extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn _exit(status: c_int) -> !;
}

trait Shape: Send {
    fn area(&self) -> u64;
}

struct Square([u64; 5]);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0[0] * self.0[0]
    }
}

static MAP: Mutex<Option<HashMap<String, Vec<u8>>>> = Mutex::new(None);
static TREE: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
static SHAPES: Mutex<Vec<Box<dyn Shape>>> = Mutex::new(Vec::new());
static QUEUE: Mutex<VecDeque<Box<[u8; 40]>>> = Mutex::new(VecDeque::new());
static SHARED: Mutex<Option<Arc<Vec<String>>>> = Mutex::new(None);
static RAW: AtomicPtr<[u64; 9]> = AtomicPtr::new(std::ptr::null_mut());
static WORDS: Mutex<Vec<Box<str>>> = Mutex::new(Vec::new());

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_hash_map() {
    let mut map = HashMap::new();
    for i in 0..500 {
        map.insert(format!("a key of some length {i}"), vec![1u8; 50]);
    }
    *MAP.lock().unwrap() = Some(map);
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_tree_map() {
    for i in 0..500 {
        TREE.lock().unwrap().insert(i, format!("a value of some length {i}"));
    }
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_boxed_traits() {
    for i in 0..100 {
        SHAPES.lock().unwrap().push(Box::new(Square([i; 5])));
    }
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_queue() {
    for i in 0..100 {
        let mut queue = QUEUE.lock().unwrap();
        queue.push_back(Box::new([i; 40]));
        if i % 3 == 0 {
            queue.pop_front(); // the ring of pointers begins somewhere in the middle
        }
    }
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_shared() {
    *SHARED.lock().unwrap() = Some(Arc::new((0..50).map(|i| format!("shared text {i}")).collect()));
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_raw() {
    RAW.store(Box::into_raw(Box::new([3; 9])), Ordering::SeqCst);
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_boxed_texts() {
    for i in 0..60 {
        WORDS.lock().unwrap().push(format!("a text without room to grow {i}").into_boxed_str());
    }
}

thread_local! {
    static OF_THREAD: RefCell<Vec<Box<[u64; 6]>>> = const { RefCell::new(Vec::new()) };
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn held_thread_local() {
    for i in 0..20 {
        OF_THREAD.with(|all| all.borrow_mut().push(Box::new([i; 6])));
    }
}

struct Node {
    other: RefCell<Option<Rc<Node>>>,
    _fill: [u64; 4],
}

fn node() -> Rc<Node> {
    Rc::new(Node { other: RefCell::new(None), _fill: [1; 4] })
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn lost_ring() {
    for _ in 0..30 {
        let (one, two) = (node(), node());
        *one.other.borrow_mut() = Some(two.clone());
        *two.other.borrow_mut() = Some(one);
    }
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn lost_forgotten() {
    for i in 0..40 {
        std::mem::forget(black_box(Box::new([i as u64; 7])));
    }
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn lost_raw() {
    for i in 0..25 {
        black_box(Box::into_raw(Box::new([i as u64; 11])));
    }
}

#[inline(never)]
fn wipe() {
    black_box([0u8; 65536]);
}

fn in_thread(cases: &'static [extern "C" fn()]) {
    std::thread::spawn(move || {
        for case in cases {
            case();
        }
        wipe();
    })
    .join()
    .unwrap();
}

fn main() {
    in_thread(&[held_hash_map, held_tree_map, held_boxed_traits, held_queue, held_shared, held_raw, held_boxed_texts]);
    in_thread(&[lost_ring, lost_forgotten, lost_raw]);
    held_thread_local();
    wipe();
    let name = CString::new("snap_take_holders").unwrap();
    let take = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    if !take.is_null() {
        let take: Take = unsafe { std::mem::transmute(take) };
        println!("{}", take(std::ptr::null(), 1));
    }
    black_box(RAW.load(Ordering::SeqCst));
    let shapes: u64 = SHAPES.lock().unwrap().iter().map(|shape| shape.area()).sum();
    println!("{shapes}");
    unsafe { _exit(0) }
}
