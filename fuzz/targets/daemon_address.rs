//! Any text as the daemon's address: it is taken, or counted as rejected.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xray::Recorder;
use xray::emitter::MemoryEmitter;
use xray::sampling::Always;

fuzz_target!(|text: &str| {
    // Neither the emitter nor the sampler uses the address, so no thread starts and no name is looked up.
    let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).daemon_address(text).build();
    assert!(recorder.stats().settings_rejected <= 1);
});
