import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes records in transactions with Kafka's own producer, for tests. Arguments: address, topic, partition,
 * transactional id. Standard input, a line each: "begin", a record in base64, "commit", "abort", or "leave",
 * which ends the program with the transaction open.
 */
public final class Transactions {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("transactional.id", args[3]);
    settings.put("transaction.timeout.ms", "15000");
    settings.put("acks", "all");
    int partition = Integer.parseInt(args[2]);
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    producer.initTransactions();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      switch (line) {
        case "begin" -> producer.beginTransaction();
        case "commit" -> producer.commitTransaction();
        case "abort" -> {
          // Records that were not sent yet would never be in the log.
          producer.flush();
          producer.abortTransaction();
        }
        case "leave" -> {
          producer.flush();
          Runtime.getRuntime().halt(0);
        }
        default -> producer.send(new ProducerRecord<>(args[1], partition, null, Base64.getDecoder().decode(line)));
      }
    }
    producer.close();
  }
}
