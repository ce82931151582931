struct Request;

impl Request {
    const fn send(self) {}
}

#[xray::traced_http]
const fn constant(request: Request) {
    request.send();
}

fn main() {
    constant(Request);
}
