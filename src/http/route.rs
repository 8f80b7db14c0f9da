//! Routes. A path is written once, where its handler is named; it is registered and described from there.
//!
//! The description follows from what a handler takes and returns: its question, its body, its answer, and how
//! it may be refused.

use actix_web::http::Method;
use actix_web::{CustomizeResponder, FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route, web};
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, HeaderBuilder, HttpMethod, OpenApi, Ref, RefOr, Required, Response, Schema};
use utoipa::{IntoResponses, ToSchema};

use super::error::ErrorBody;
use super::state::EdgeState;
use super::writes::{self, Takes};

/// The prefix of the paths of the REST API.
pub const API_PREFIX: &str = "/api/umbler";

/// A list of routes, to be registered and described.
pub struct Routes {
    prefix: &'static str,
    tag: &'static str,
    resources: Vec<(&'static str, Vec<Route>)>,
    calls: Vec<Call>,
}

/// A method of a path, as it is described.
pub struct Call {
    path: String,
    method: HttpMethod,
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
    takes: Takes,
}

impl Routes {
    /// An empty list. Paths are described with this prefix, which is that of the actix scope in which they are
    /// registered.
    pub fn under(prefix: &'static str) -> Self {
        Self { prefix, tag: "", resources: Vec::new(), calls: Vec::new() }
    }

    /// Sets the tag under which the next routes are described.
    pub fn tagged(&mut self, tag: &'static str) -> &mut Self {
        self.tag = tag;
        self
    }

    /// Adds a path that is read with GET and HEAD.
    pub fn get<Args>(
        &mut self,
        path: &'static str,
        handler: impl DescribedHandler<Args>,
        name: &str,
        about: &str,
    ) -> &mut Call {
        self.add(path, handler.clone().handle(web::head()));
        self.get_only(path, handler, name, about)
    }

    /// Adds a path that is read with GET only, because its answer has no end or nobody asks for its head.
    pub fn get_only<Args>(
        &mut self,
        path: &'static str,
        handler: impl DescribedHandler<Args>,
        name: &str,
        about: &str,
    ) -> &mut Call {
        self.describe(HttpMethod::Get, path, &handler, name, about);
        self.add(path, handler.handle(web::get()));
        self.newest()
    }

    /// Adds a path that changes something. [`writes`] says what is checked before its handler.
    pub fn write<Args>(
        &mut self,
        method: &Method,
        path: &'static str,
        handler: impl DescribedHandler<Args>,
        name: &str,
        about: &str,
    ) -> &mut Call {
        let described = match *method {
            Method::PUT => HttpMethod::Put,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Post,
        };
        let takes = self.describe(described, path, &handler, name, about).takes;
        let route = handler.handle(web::method(method.clone()));
        self.add(path, writes::guarded(route, takes));
        let call = self.newest();
        if takes == Takes::Nothing {
            call.refuses(415, "There is a body, which is not needed, and it is not declared as JSON.");
        }
        call
    }

    /// Adds the two paths that deliveries are posted to, of which the first is described. Nothing is checked
    /// before the handler.
    pub fn deliveries<Args>(
        &mut self,
        [path, other]: [&'static str; 2],
        handler: impl DescribedHandler<Args>,
        name: &str,
        about: &str,
    ) -> &mut Call {
        self.describe(HttpMethod::Post, path, &handler, name, about);
        self.add(path, handler.clone().handle(web::post()));
        self.add(other, handler.handle(web::post()));
        self.newest()
    }

    fn add(&mut self, path: &'static str, route: Route) {
        match self.resources.iter_mut().find(|(known, _)| *known == path) {
            Some((_, routes)) => routes.push(route),
            None => self.resources.push((path, vec![route])),
        }
    }

    fn describe<Args, F: DescribedHandler<Args>>(
        &mut self,
        method: HttpMethod,
        path: &str,
        _: &F,
        name: &str,
        about: &str,
    ) -> &mut Call {
        let mut operation = Operation::new();
        operation.tags = Some(vec![self.tag.to_owned()]);
        operation.operation_id = Some(name.to_owned());
        operation.summary = Some(about.to_owned());
        let path = format!("{}{path}", self.prefix);
        let mut call = Call { path, method, operation, schemas: Vec::new(), takes: Takes::Nothing };
        F::describe(&mut call);
        self.calls.push(call);
        self.newest()
    }

    /// The call that was added last.
    fn newest(&mut self) -> &mut Call {
        let newest = self.calls.len() - 1;
        &mut self.calls[newest]
    }

    /// Registers the routes. Where a path does not have a method, the path itself answers.
    pub fn register(self, config: &mut web::ServiceConfig) {
        for (path, routes) in self.resources {
            let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
            config.service(resource);
        }
    }

    /// Adds the routes to a description.
    pub fn describe_in(self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Default::default);
        for call in self.calls {
            components.schemas.extend(call.schemas);
            document.paths.add_path_operation(call.path, vec![call.method], call.operation);
        }
    }
}

impl Call {
    /// A reference to a schema, which is added to the description.
    pub fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.named(&T::name(), T::schema())
    }

    /// A reference to a schema under this name.
    pub fn named(&mut self, name: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
        self.schemas.push((name.to_owned(), schema));
        Ref::from_schema_name(name).into()
    }

    /// A reference to the schema of a body whose fields have these bounds. They come from where the fields are read, so that the
    /// description refuses what the reader refuses.
    pub fn bounded<T: ToSchema>(
        &mut self,
        bounds: impl IntoIterator<Item = (&'static str, ObjectBuilder)>,
    ) -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(body)) = &mut schema {
            for (field, bounds) in bounds {
                let Some(RefOr::T(Schema::Object(property))) = body.properties.get_mut(field) else {
                    debug_assert!(false, "{} has no field {field}", T::name());
                    continue;
                };
                let Object { minimum, maximum, min_length, max_length, pattern, .. } = bounds.build();
                (property.minimum, property.maximum) = (minimum, maximum);
                (property.min_length, property.max_length) = (min_length, max_length);
                property.pattern = pattern;
            }
        }
        T::schemas(&mut self.schemas);
        self.named(&T::name(), schema)
    }

    pub fn parameters(&mut self, parameters: impl IntoIterator<Item = Parameter>) -> &mut Self {
        for parameter in parameters {
            self.operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
        }
        self
    }

    /// Describes a body of this type; `about` says its largest size.
    pub fn body(&mut self, takes: Takes, schema: RefOr<Schema>, about: &str) -> &mut Self {
        self.takes = takes;
        let body = RequestBodyBuilder::new()
            .description(Some(about))
            .required(Some(Required::True))
            .content(takes.media_type(), Content::new(Some(schema)))
            .build();
        self.operation.request_body = Some(RefOr::T(body));
        self
    }

    /// Adds an answer that is JSON of this type.
    pub fn answers<T: ToSchema>(&mut self, status: u16) -> &mut Self {
        let schema = self.schema::<T>();
        self.answers_with(status, "application/json", schema)
    }

    /// Adds an answer. One status may have several media types.
    pub fn answers_with(&mut self, status: u16, media_type: &str, schema: RefOr<Schema>) -> &mut Self {
        let about = if self.method == HttpMethod::Get { "" } else { "Durable." };
        let responses = &mut self.operation.responses.responses;
        let response = responses.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::new(about)));
        if let RefOr::T(response) = response {
            response.content.insert(media_type.to_owned(), Content::new(Some(schema)).into());
        }
        self
    }

    /// Adds a header to the answer with this status.
    pub fn header(&mut self, status: u16, name: &str, schema: RefOr<Schema>, about: &str) -> &mut Self {
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build();
        if let Some(RefOr::T(response)) = self.operation.responses.responses.get_mut(&status.to_string()) {
            response.headers.insert(name.to_owned(), header.into());
        }
        self
    }

    /// Adds all of these refusals.
    pub fn refusals<R: IntoResponses>(&mut self) -> &mut Self {
        self.schema::<ErrorBody>();
        self.operation.responses.responses.extend(R::responses());
        self
    }

    /// Adds a refusal with this status and reason.
    pub fn refuses(&mut self, status: u16, about: &str) -> &mut Self {
        self.operation.responses.responses.insert(status.to_string(), RefOr::T(Response::new(about)));
        self.answers::<ErrorBody>(status)
    }

    /// Adds an answer of 302, with the address in `Location`.
    pub fn redirects(&mut self, about: &str) -> &mut Self {
        self.operation.responses.responses.insert("302".to_owned(), RefOr::T(Response::new(about)));
        self.header(302, "Location", super::values::string().into(), "Where it is.")
    }

    /// Requires one of these ways to authenticate.
    pub fn secured_by(&mut self, schemes: &[&str]) -> &mut Self {
        let wanted = schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, [""; 0]));
        self.operation.security = Some(wanted.collect());
        self
    }
}

/// Makes the function `routes`, which adds the routes of a file. A row has a comment, which describes it, then
/// the method of [`Routes`], the path, the handler, and a name for programs. After those, methods of [`Call`]
/// may follow:
///
/// ```text
/// routes! {
///     /// The updates after a position.
///     get "/updates" => updates, "listUpdates", refuses(410, "A position that is not kept any more.");
///     /// Sends a notice.
///     write(POST) "/notify" => notify, "notifyUser";
/// }
/// ```
macro_rules! routes {
    ($(
        $(#[doc = $about:literal])+
        $verb:ident $(($method:ident))? $path:literal => $handler:path, $name:literal
            $(, $more:ident $(::<$generic:ty>)? ($($argument:expr),*))*;
    )+) => {
        /// Adds the routes of this file.
        pub fn routes(routes: &mut $crate::http::route::Routes) {
            $(routes
                .$verb(
                    $(&actix_web::http::Method::$method,)?
                    $path,
                    $handler,
                    $name,
                    &$crate::http::question::about(&[$($about),+]),
                )
                $(.$more $(::<$generic>)? ($($argument),*))*;)+
        }
    };
}
pub(in crate::http) use routes;

/// A handler whose arguments and answer are described.
pub trait DescribedHandler<Args>: Clone {
    /// Adds the description of its arguments and answer.
    fn describe(call: &mut Call);

    /// Makes it the handler of a route.
    fn handle(self, route: Route) -> Route;
}

/// An argument or the answer of a handler. By default it adds nothing to the description.
pub trait HandlerPart {
    /// Adds the description of this part.
    fn describe(_: &mut Call) {}
}

impl HandlerPart for HttpRequest {}

impl HandlerPart for web::Payload {}

impl HandlerPart for web::Data<EdgeState> {}

impl HandlerPart for HttpResponse {}

impl<T: HandlerPart, E> HandlerPart for Result<T, E> {
    fn describe(call: &mut Call) {
        T::describe(call);
    }
}

impl<T: HandlerPart> HandlerPart for CustomizeResponder<T> {
    fn describe(call: &mut Call) {
        T::describe(call);
    }
}

macro_rules! described {
    ($($argument:ident)*) => {
        impl<F, Output, $($argument),*> DescribedHandler<($($argument,)*)> for F
        where
            F: Handler<($($argument,)*), Output = Output>,
            Output: HandlerPart + Responder + 'static,
            $($argument: HandlerPart + FromRequest + 'static),*
        {
            fn describe(call: &mut Call) {
                $($argument::describe(call);)*
                Output::describe(call);
            }

            fn handle(self, route: Route) -> Route {
                route.to(self)
            }
        }
    };
}

described! { A }
described! { A B }
described! { A B C }
described! { A B C D }
described! { A B C D E }
