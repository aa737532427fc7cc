package shop;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** The orders service over HTTP. */
final class Orders {
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;

    Orders(String url) {
        this.url = url;
    }

    Reply offer(String sku) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + "/offers/" + sku)).GET());
    }

    Reply place(byte[] order) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + "/orders"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(order)));
    }

    private Reply send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body());
    }
}
