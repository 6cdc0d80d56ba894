import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.util.List;
import org.jmisb.api.klv.IKlvKey;
import org.jmisb.api.klv.IKlvValue;
import org.jmisb.api.klv.IMisbMessage;
import org.jmisb.api.klv.KlvParser;

/**
 * Decodes packets with jMISB. usage: Dump IN OUT; IN holds packets behind 4-byte big-endian lengths, OUT gets
 * them re-encoded the same way; standard output gets a line of JSON a packet: tag to the numbers and texts that
 * the value's getters return.
 */
public class Dump {
    public static void main(String[] args) throws Exception {
        PrintStream json = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        try (DataInputStream in = new DataInputStream(new FileInputStream(args[0]));
                DataOutputStream out =
                        new DataOutputStream(new BufferedOutputStream(new FileOutputStream(args[1])))) {
            while (true) {
                int n;
                try {
                    n = in.readInt();
                } catch (EOFException e) {
                    break;
                }
                byte[] packet = in.readNBytes(n);
                byte[] again = new byte[0];
                try {
                    List<IMisbMessage> messages = KlvParser.parseBytes(packet);
                    IMisbMessage m = messages.get(0);
                    StringBuilder b = new StringBuilder("{");
                    for (IKlvKey key : m.getIdentifiers()) {
                        if (b.length() > 1) {
                            b.append(",");
                        }
                        b.append('"').append(key.getIdentifier()).append("\":");
                        dump(b, m.getField(key));
                    }
                    again = m.frameMessage(false);
                    json.println(b.append("}"));
                } catch (Exception e) {
                    json.println("{\"error\":" + quote(e.toString()) + "}");
                }
                out.writeInt(again.length);
                out.write(again);
            }
        }
        json.flush();
    }

    private static void dump(StringBuilder b, IKlvValue v) {
        b.append("{");
        boolean first = true;
        for (Method method : v.getClass().getMethods()) {
            String name = method.getName();
            if (method.getParameterCount() > 0 || !name.startsWith("get") || name.equals("getClass")) {
                continue;
            }
            Object r;
            try {
                method.setAccessible(true);
                r = method.invoke(v);
            } catch (Exception e) {
                continue;
            }
            String text;
            if (r instanceof Number) {
                double d = ((Number) r).doubleValue();
                text = Double.isNaN(d) || Double.isInfinite(d) ? "null" : r.toString();
            } else if (r instanceof String) {
                text = quote((String) r);
            } else if (r instanceof byte[]) {
                StringBuilder h = new StringBuilder("\"hex:");
                for (byte x : (byte[]) r) {
                    h.append(String.format("%02x", x));
                }
                text = h.append('"').toString();
            } else if (r instanceof java.time.LocalDateTime) {
                text = quote(r.toString());
            } else {
                continue;
            }
            b.append(first ? "" : ",").append('"').append(name).append("\":").append(text);
            first = false;
        }
        b.append("}");
    }

    private static String quote(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\' || c < ' ') {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append('"').toString();
    }
}
