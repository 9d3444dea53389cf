//! Which calls of modules a service call becomes.

use std::sync::Arc;

use crate::model::{
    ExecRequest, FunctionName, JsonText, ModuleIndex, ModuleName, ModulePath, SystemId, Timestamp,
};

use super::super::context::{put, write_text};
use super::super::domain::Domain;
use super::super::entity::{Entity, Press};
use super::super::face::{Face, number};
use super::super::known::Known;
use super::super::setter::Order;
use super::super::view::View;
use super::asked::{Asked, is_switched};
use super::data::{Data, index, text};
use super::error::ServiceError;
use super::functions;
use super::orders::{Does, does};
use super::target::{Meant, Target};

/// A service call as it came.
#[derive(Debug, Clone, Copy)]
pub struct ServiceCall<'a> {
    /// The first part of the service's name.
    pub domain: &'a str,
    /// The second part.
    pub service: &'a str,
    /// `service_data`: a JSON object, or nothing.
    pub data: Option<&'a JsonText>,
    /// `target`: a JSON object, or nothing.
    pub target: Option<&'a JsonText>,
    /// Whether the caller wants what the functions return.
    pub wants_response: bool,
}

/// What a service call becomes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What is to be done, in order. Equal calls stand in it once.
    pub todo: Vec<Planned>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// For which entity; none where the service is for a whole module.
    pub entity: Option<Arc<Entity>>,
    /// Where.
    pub path: Arc<ModulePath>,
    /// What.
    pub todo: Todo,
}

/// What is to be done with a module.
#[derive(Debug, Clone, PartialEq)]
pub enum Todo {
    /// This call.
    Call(Call),
    /// A call that depends on the state: [`Planned::call`] says which, once the module's statuses are known.
    React(Reaction),
}

/// What depends on the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// On what is off, and off what is on.
    Toggle,
    /// A little louder.
    VolumeUp,
    /// A little quieter.
    VolumeDown,
}

/// One call of a module's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub path: Arc<ModulePath>,
    /// Which function.
    pub function: FunctionName,
    /// With what: a JSON array or object.
    pub arguments: JsonText,
}

/// How much louder or quieter a step is, as a share of the loudest. As in Home Assistant.
const VOLUME_STEP: f64 = 0.1;

impl Call {
    /// It as a request that belongs to this act.
    pub fn request(self, act: u128) -> ExecRequest {
        ExecRequest {
            module: ModulePath::clone(&self.path).into(),
            function: self.function,
            arguments: self.arguments,
            act: Some(act),
        }
    }

    fn new(path: &Arc<ModulePath>, order: Order) -> Self {
        Self {
            path: Arc::clone(path),
            function: order.function,
            arguments: order.arguments,
        }
    }
}

impl Planned {
    /// It has been done at this moment. A button remembers that, and tells what it changes.
    pub fn done(&self, at: Timestamp) -> Option<(&Arc<Entity>, Press)> {
        let entity = self.entity.as_ref()?;
        Some((entity, entity.press(at)?))
    }

    /// The call, now that the module's statuses are known; `None` where there is nothing to do.
    pub fn call(&self, known: &Known<'_>) -> Option<Call> {
        match &self.todo {
            Todo::Call(call) => Some(call.clone()),
            Todo::React(reaction) => {
                let entity = self.entity.as_ref()?;
                let order = match reaction {
                    Reaction::Toggle => toggled(entity, known),
                    Reaction::VolumeUp => louder(entity, known, VOLUME_STEP),
                    Reaction::VolumeDown => louder(entity, known, -VOLUME_STEP),
                };
                order.map(|order| Call::new(&self.path, order))
            }
        }
    }
}

/// What switches an entity over. What is neither on nor off is switched on.
fn toggled(entity: &Entity, known: &Known<'_>) -> Option<Order> {
    let state = entity.state(known);
    let state = state.text();
    let asked = match (entity.domain, &*state) {
        (Domain::Cover, "open" | "opening") => Asked::Close,
        (Domain::Cover, _) => Asked::Open,
        (_, "off" | "unknown" | "unavailable") => Asked::On(None),
        (_, _) => Asked::Off,
    };
    match does(entity, &asked).ok()? {
        Does::Orders(orders) => orders.into_iter().next(),
        Does::Reacts(_) | Does::Nothing => None,
    }
}

/// What makes a player louder by a share of the loudest.
fn louder(entity: &Entity, known: &Known<'_>, share: f64) -> Option<Order> {
    let Face::Player(player) = &entity.face else {
        return None;
    };
    let volume = player.volume.as_ref()?;
    let level = number(known.value(&volume.status)?)?;
    volume.order(&volume.range.value(volume.range.share(level) + share))
}

impl Plan {
    /// What `response` is, of what the calls returned, in their order: of one its object, anything else as the member `value` of one;
    /// of several an object with that of each by its place, `sys-1234/Display_1`.
    pub fn response(&self, results: &[JsonText]) -> JsonText {
        if let ([_], [result]) = (self.todo.as_slice(), results) {
            return wrapped(result);
        }
        let mut out = b"{".to_vec();
        for (place, (planned, result)) in self.todo.iter().zip(results).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            let ModulePath {
                system,
                module,
                index,
            } = &*planned.path;
            write_text(&mut out, &format!("{system}/{module}_{index}"));
            put(&mut out, format_args!(":{}", wrapped(result)));
        }
        out.push(b'}');
        let text = String::from_utf8(out).expect("JSON is text");
        JsonText::parse(&text).expect("JSON in JSON is JSON")
    }

    fn add(&mut self, planned: Planned) {
        if !self.todo.iter().any(|known| known.is_same(&planned)) {
            self.todo.push(planned);
        }
    }

    fn add_orders(&mut self, entity: Option<&Arc<Entity>>, path: &Arc<ModulePath>, does: Does) {
        let mut add = |todo| {
            self.add(Planned {
                entity: entity.cloned(),
                path: Arc::clone(path),
                todo,
            });
        };
        match does {
            Does::Orders(orders) => {
                for order in orders {
                    add(Todo::Call(Call::new(path, order)));
                }
            }
            Does::Reacts(reaction) => add(Todo::React(reaction)),
            Does::Nothing => {}
        }
    }
}

impl Planned {
    /// Whether it does the same: equal calls for two entities of a module are one.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.todo, &other.todo) {
            (Todo::Call(one), Todo::Call(other)) => one == other,
            (Todo::React(_), _) | (_, Todo::React(_)) => self == other,
        }
    }
}

fn wrapped(result: &JsonText) -> JsonText {
    match result.as_str().starts_with('{') {
        true => result.clone(),
        false => {
            let text = format!("{{\"value\":{result}}}");
            JsonText::parse(&text).expect("JSON in JSON is JSON")
        }
    }
}

/// What a service call becomes in this building. Names are read in any case, as Home Assistant does.
pub fn plan(view: &View, call: &ServiceCall<'_>) -> Result<Plan, ServiceError> {
    let domain = call.domain.to_lowercase();
    let service = call.service.to_lowercase();
    let not_found = || ServiceError::not_found(&domain, &service);
    let mut data = Data::of(call.data)?;
    match (domain.as_str(), service.as_str()) {
        ("homeassistant", "turn_on" | "turn_off" | "toggle") => {
            let target = Target::take(call.target, &mut data, &|_| false)?;
            // Other fields are for things of one domain alone, and Home Assistant lets them pass.
            let asked = Asked::read(Domain::Switch, &service, &mut data)?;
            let asked = asked.ok_or_else(not_found)?;
            for_entities(view, call, &target, &asked, is_switched)
        }
        ("gateway", "exec") => exec(data),
        (word, _) => match Domain::of(word) {
            Some(domain) => {
                let target = Target::take(call.target, &mut data, &|_| false)?;
                let asked = Asked::read(domain, &service, &mut data)?;
                let asked = asked.ok_or_else(not_found)?;
                data.end()?;
                for_entities(view, call, &target, &asked, |other| other == domain)
            }
            None if view.services().has_function(word, &service) => {
                functions_of(view, call, word, &service, data)
            }
            None => Err(not_found()),
        },
    }
}

fn for_entities(
    view: &View,
    call: &ServiceCall<'_>,
    target: &Target,
    asked: &Asked,
    is_meant: impl Fn(Domain) -> bool,
) -> Result<Plan, ServiceError> {
    if call.wants_response {
        return Err(ServiceError::no_response());
    }
    if !target.is_given() {
        return Err(ServiceError::no_target());
    }
    let mut plan = Plan::default();
    for Meant { entity, is_named } in target.entities(view, |entity| is_meant(entity.domain)) {
        let does = does(&entity, asked)?;
        if does == Does::Nothing && is_named && call.domain != "homeassistant" {
            let (domain, service) = (call.domain, call.service);
            return Err(ServiceError::unsupported(&entity.id, domain, service));
        }
        plan.add_orders(Some(&entity), &entity.path, does);
    }
    Ok(plan)
}

/// `gateway.exec`: a call of any function of any module.
fn exec(mut data: Data<'_>) -> Result<Plan, ServiceError> {
    let invalid = |name: &'static str| move |_| ServiceError::field("not a valid value", name);
    let system = text("sys", data.need("sys")?)?;
    let module = text("mod", data.need("mod")?)?;
    let place = data.take("index").map(|json| index("index", json));
    let place = place.transpose()?.unwrap_or(1);
    let name = text("name", data.need("name")?)?;
    let arguments = match data.take("args") {
        None => "[]".to_owned(),
        Some(json) if json.starts_with(['[', '{']) => json.to_owned(),
        Some(json) => format!("[{json}]"),
    };
    data.end()?;
    let path = Arc::new(ModulePath {
        system: SystemId::new(&system).map_err(invalid("sys"))?,
        module: ModuleName::new(&module).map_err(invalid("mod"))?,
        index: ModuleIndex::new(place).map_err(invalid("index"))?,
    });
    let order = Order {
        function: FunctionName::new(&name).map_err(invalid("name"))?,
        arguments: JsonText::parse(&arguments).expect("JSON in JSON is JSON"),
    };
    let mut plan = Plan::default();
    plan.add_orders(None, &path, Does::Orders(vec![order]));
    Ok(plan)
}

/// A service that is a function of modules. Where there is only one module of that name, it need not be named.
fn functions_of(
    view: &View,
    call: &ServiceCall<'_>,
    domain: &str,
    service: &str,
    mut data: Data<'_>,
) -> Result<Plan, ServiceError> {
    let modules = view.modules().iter();
    let alike: Vec<_> = modules.filter(|module| &*module.domain == domain).collect();
    // Where the target stands apart, a field of its name is an argument.
    let is_argument = |field: &str| {
        call.target.is_some()
            && alike.iter().any(|module| {
                let interface = module.interface();
                let functions = interface
                    .into_iter()
                    .flat_map(|known| known.functions.values());
                let mut parameters = functions.flat_map(|function| &function.parameters);
                parameters.any(|parameter| parameter.name == field)
            })
    };
    let target = Target::take(call.target, &mut data, &is_argument)?;
    let meant = match (target.is_given(), &alike[..]) {
        (true, _) => target.modules(view, |module| &*module.domain == domain),
        (false, [only]) => vec![Arc::clone(only)],
        (false, _) => return Err(ServiceError::no_target()),
    };
    let mut plan = Plan::default();
    for module in meant {
        let Some(interface) = module.interface() else {
            continue;
        };
        let services = functions::services(interface);
        let Some((_, name)) = services.into_iter().find(|(name, _)| name == service) else {
            continue;
        };
        let mut fields = data.clone();
        let order = functions::order(name, &interface.functions[name], &mut fields)?;
        fields.end()?;
        plan.add_orders(None, &module.path, Does::Orders(vec![order]));
    }
    Ok(plan)
}
