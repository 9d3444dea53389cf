//! Frames as they stand in the protocol, for one status or function of one module.

use serde_json::{Value, json};

/// A status or a function of a module in a system: what the fields of a request name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) sys: &'a str,
    pub(crate) module: &'a str,
    pub(crate) index: i64,
    pub(crate) name: &'a str,
}

/// Of the first `Display` in `sys-1`.
pub(crate) fn display(name: &str) -> Place<'_> {
    Place {
        sys: "sys-1",
        module: "Display",
        index: 1,
        name,
    }
}

/// Of `Bookings` in `sys-1`.
pub(crate) fn bookings(name: &str) -> Place<'_> {
    display(name).of("Bookings")
}

/// Of `Shared` in `sys-1`, the module that also stands in `sys-2`.
pub(crate) fn scratch(name: &str) -> Place<'_> {
    display(name).of("Shared")
}

impl<'a> Place<'a> {
    pub(crate) fn at(self, index: i64) -> Self {
        Self { index, ..self }
    }

    pub(crate) fn of(self, module: &'a str) -> Self {
        Self { module, ..self }
    }

    pub(crate) fn within(self, sys: &'a str) -> Self {
        Self { sys, ..self }
    }

    pub(crate) fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// A request of any kind.
    pub(crate) fn request(self, id: impl Into<Value>, cmd: &str) -> Value {
        let Self {
            sys,
            module,
            index,
            name,
        } = self;
        json!({"id": id.into(), "cmd": cmd, "sys": sys, "mod": module, "index": index, "name": name})
    }

    pub(crate) fn bind(self, id: impl Into<Value>) -> Value {
        self.request(id, "bind")
    }

    pub(crate) fn unbind(self, id: impl Into<Value>) -> Value {
        self.request(id, "unbind")
    }

    pub(crate) fn debug(self, id: impl Into<Value>) -> Value {
        self.named("debug").request(id, "debug")
    }

    pub(crate) fn ignore(self, id: impl Into<Value>) -> Value {
        self.named("ignore").request(id, "ignore")
    }

    pub(crate) fn exec(self, id: impl Into<Value>, args: impl Into<Value>) -> Value {
        let mut request = self.request(id, "exec");
        request["args"] = args.into();
        request
    }

    pub(crate) fn meta(self) -> Value {
        let Self {
            sys,
            module,
            index,
            name,
        } = self;
        json!({"sys": sys, "mod": module, "index": index, "name": name})
    }

    /// The answer to a bind and to an unbind.
    pub(crate) fn success(self, id: impl Into<Value>) -> Value {
        json!({"id": id.into(), "type": "success", "meta": self.meta()})
    }

    pub(crate) fn notify(self, id: impl Into<Value>, value: impl Into<Value>) -> Value {
        json!({"id": id.into(), "type": "notify", "value": value.into(), "meta": self.meta()})
    }

    /// The answer to an exec.
    pub(crate) fn result(self, id: impl Into<Value>, value: impl Into<Value>) -> Value {
        json!({
            "id": id.into(), "type": "success", "value": value.into(), "meta": self.meta(), "code": 200
        })
    }

    /// The answer to a debug.
    pub(crate) fn debugging(self, id: impl Into<Value>, module_id: &str) -> Value {
        let meta = self.named("debug").meta();
        json!({"id": id.into(), "type": "success", "mod_id": module_id, "meta": meta})
    }

    /// A log line of the driver `virtual`.
    pub(crate) fn line(
        self,
        id: impl Into<Value>,
        module_id: &str,
        level: &str,
        message: &str,
    ) -> Value {
        json!({
            "id": id.into(), "type": "debug", "mod": module_id, "klass": "virtual",
            "level": level, "msg": message, "meta": self.named("debug").meta()
        })
    }

    /// The answer to an ignore.
    pub(crate) fn ignored(id: impl Into<Value>) -> Value {
        json!({"id": id.into(), "type": "success"})
    }
}
