//! Does what a request asks: the dialect has checked it, and the core is asked here.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::core::{Directory, ServiceActor, ServiceChange, ServiceError, Subscribed};
use crate::dialects::pushjet::errors::PushjetError;
use crate::dialects::pushjet::limits::BODY_MAX_BYTES;
use crate::dialects::pushjet::rest::{self, Answer, ApiRequest, Endpoint, Parameters};
use crate::model::{DeviceId, Failure, Notice, ServiceKey, ServiceView};
use crate::server::ServerState;
use crate::server::http::kit::{address, header_text, known, read_body, reads_head, state_of};
use crate::server::http::pushjet::authn::maker;
use crate::server::http::pushjet::rejections::refused;
use crate::server::http::pushjet::{Body, HttpRejection};

/// What is read once is not to be read by the cache of a browser or a proxy.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A request with its body.
pub(super) struct Asked {
    state: Data<ServerState>,
    request: HttpRequest,
    body: Body,
}

impl FromRequest for Asked {
    type Error = HttpRejection;
    type Future = LocalBoxFuture<'static, Result<Self, HttpRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = state_of(request).cloned();
        let body = read_body(request, payload, BODY_MAX_BYTES);
        let request = request.clone();
        async move {
            Ok(Self {
                state: state?,
                body: body.await?,
                request,
            })
        }
        .boxed_local()
    }
}

/// Answers a request.
pub(super) async fn serve(endpoint: Endpoint, asked: Asked) -> HttpResponse {
    let mut response = match asked.answer(endpoint).await {
        Ok(answer) => response(answer),
        Err(error) => refused(&error).to_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

fn response(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, answer.content_type));
    response.body(answer.body)
}

impl Asked {
    async fn answer(&self, endpoint: Endpoint) -> Result<Answer, PushjetError> {
        let messages = &self.state.core.messages;
        match self.read(endpoint)? {
            ApiRequest::CreateService { name, icon } => self.create(name, icon).await,
            ApiRequest::ReadService(service) => Ok(rest::service(&service)),
            ApiRequest::EditService {
                service,
                name,
                icon,
            } => {
                let change = ServiceChange { name, icon };
                let services = &self.state.core.services;
                let edited = services.edit(self.holder(&service), &service, change).await;
                edited.map(|()| rest::done()).map_err(not_made)
            }
            ApiRequest::DeleteService(service) => {
                let services = &self.state.core.services;
                let deleted = services.delete(self.holder(&service), &service).await;
                deleted.map(|()| rest::done()).map_err(not_made)
            }
            ApiRequest::Subscribe(device, service) => self.subscribe(device, &service).await,
            ApiRequest::Subscriptions(device) => {
                let found = messages.subscriptions(device.clone()).await;
                let found = found.map_err(failed)?;
                let directory = self.directory();
                let find = |key: &ServiceKey| directory.service_view(key);
                Ok(rest::subscriptions(&device, &found, find))
            }
            ApiRequest::Unsubscribe(device, service) => {
                match messages.unsubscribe(device, service).await {
                    Ok(true) => Ok(rest::done()),
                    Ok(false) => Err(PushjetError::NotSubscribed),
                    Err(failure) => Err(failed(failure)),
                }
            }
            ApiRequest::Send(service, notice) => self.send(service, notice).await,
            // Nothing is read of an answer without a body.
            ApiRequest::TakeMessages(_) if reads_head(&self.request) => {
                Ok(rest::messages(&[], |_| None::<ServiceView>))
            }
            ApiRequest::TakeMessages(device) => {
                let unread = messages.take(device).await.map_err(failed)?;
                let directory = self.directory();
                let find = |key: &ServiceKey| directory.service_view(key);
                Ok(rest::messages(&unread.messages, find))
            }
            ApiRequest::ReadMessages(device) => {
                let read = messages.read_all(device).await;
                read.map(|()| rest::done()).map_err(failed)
            }
            ApiRequest::Answered(answer) => Ok(answer),
        }
    }

    fn read(&self, endpoint: Endpoint) -> Result<ApiRequest, PushjetError> {
        let content_type = header_text(self.request.headers(), &CONTENT_TYPE);
        let query = self.request.query_string();
        let parameters = Parameters::read(content_type, query, &self.body.bytes);
        let directory = self.directory();
        ApiRequest::read(endpoint, &parameters, |key| directory.service_view(key))
    }

    async fn create(&self, name: String, icon: String) -> Result<Answer, PushjetError> {
        let who = maker(&self.state, &self.request).await?;
        self.admit_newcomer(who.address)?;
        let made = self.state.core.services.create(who, name, icon).await;
        let secret = made.map_err(not_made)?;
        let made = self.directory().service_view(&secret.public_key());
        // It may be gone already.
        let made = made.ok_or(PushjetError::ServiceNotFound)?;
        Ok(rest::created(&made, &secret))
    }

    async fn subscribe(
        &self,
        device: DeviceId,
        service: &ServiceView,
    ) -> Result<Answer, PushjetError> {
        self.admit_newcomer(address(&self.request))?;
        let messages = &self.state.core.messages;
        match messages.subscribe(device, service.key.clone()).await {
            Ok(Subscribed::New) => Ok(rest::service(service)),
            Ok(Subscribed::Already) => Err(PushjetError::AlreadySubscribed),
            Ok(Subscribed::Full) => Err(PushjetError::TooManySubscriptions),
            Err(failure) => Err(failed(failure)),
        }
    }

    async fn send(&self, service: ServiceKey, notice: Notice) -> Result<Answer, PushjetError> {
        known(&self.request);
        let settings = &self.state.settings.pushjet;
        if !self.state.pushjet.admits_message(&service, settings) {
            self.state.metrics.messages_refused.increment(1);
            return Err(PushjetError::TooFast);
        }
        let sent = self.state.core.messages.send(service, notice).await;
        sent.map(|_| rest::done()).map_err(failed)
    }

    /// Bounds what strangers can have kept.
    fn admit_newcomer(&self, address: IpAddr) -> Result<(), PushjetError> {
        if self.state.pushjet.admits_newcomer(address) {
            return Ok(());
        }
        self.state.metrics.newcomers_refused.increment(1);
        Err(PushjetError::TooFast)
    }

    /// Who has shown the secret of a service.
    fn holder(&self, service: &ServiceKey) -> ServiceActor {
        known(&self.request);
        ServiceActor {
            name: format!("holder of {service}"),
            address: address(&self.request),
        }
    }

    fn directory(&self) -> Arc<Directory> {
        self.state.core.queries.directory()
    }
}

fn failed(failure: Failure) -> PushjetError {
    PushjetError::from(&failure)
}

fn not_made(error: ServiceError) -> PushjetError {
    match &error {
        ServiceError::NotFound => PushjetError::ServiceNotFound,
        ServiceError::InFile => PushjetError::InFile,
        ServiceError::TooMany | ServiceError::NotMade(_) => {
            PushjetError::from(&Failure::from(&error))
        }
    }
}
