// org.testcontainers:testcontainers and org.junit.jupiter:junit-jupiter; docker build -t plivo-sim .
// in plivo-sim's checkout. docs/examples/Point.java points the SDK at the same URL.
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

class ComplianceTest {
    @Test
    void isReady() throws Exception {
        String image = System.getenv().getOrDefault("PLIVO_SIM_IMAGE", "plivo-sim");
        try (GenericContainer<?> sim = new GenericContainer<>(DockerImageName.parse(image))
                .withExposedPorts(8700)
                .withEnv("PLIVO_SIM_PAUSED", "1")
                .waitingFor(Wait.forHttp("/_sim/health/ready").forPort(8700))) {
            sim.start();
            String url = "http://" + sim.getHost() + ":" + sim.getMappedPort(8700);
            HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/_sim/health")).build();
            int status = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).statusCode();
            assertEquals(200, status);
        }
    }
}
