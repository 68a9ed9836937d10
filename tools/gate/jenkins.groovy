// Runs a declarative Jenkinsfile without Jenkins: stages in order, sh for real,
// other steps by what they do to the result. What it does not know is an error,
// so that a word that Jenkins does not have is one too.
//   java -cp 'groovy/lib/*' groovy.ui.GroovyMain jenkins.groovy Jenkinsfile [NAME=VALUE...]
class Failed extends RuntimeException { Failed(String why) { super(why) } }

class Pipeline {
    String result = 'SUCCESS'
    List<String> seen = []
    Map<String, String> env = [:]
    Map<String, String> given = [:]

    private void within(Map words, Closure body) {
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body.delegate = new Words(words)
        body()
    }

    void run(Closure body) {
        Map top = [:]
        ['options', 'triggers', 'environment', 'parameters', 'stages', 'post'].each { name -> top[name] = { Closure c -> top["found-$name".toString()] = c } }
        top.agent = { Closure c -> within([label: { String s -> assert s }, any: { }], c) }
        within(top, body)
        Map nothing = [:]
        within([disableConcurrentBuilds: { -> }, timeout: { Map m -> assert m.keySet() == ['time', 'unit'] as Set },
            buildDiscarder: { Object o -> }, logRotator: { Map m -> m }], top['found-options'])
        within([cron: { String s -> assert s.split(' ').size() == 5 }], top['found-triggers'])
        within([string: { Map m -> env[m.name] = m.defaultValue }], top['found-parameters'])
        Words variables = new Words([:])
        variables.assigned = env
        Closure environment = top['found-environment']
        environment.resolveStrategy = Closure.DELEGATE_FIRST
        environment.delegate = variables
        environment()
        env.putAll(given)
        try {
            within([stage: { String name, Closure c -> seen << name; within([steps: { Closure s -> within(steps(), s) }], c) }], top['found-stages'])
        } catch (Failed e) {
            result = 'FAILURE'
            println "FAILED: ${e.message}"
        }
        within([always: { Closure c -> within(steps(), c) }], top['found-post'])
    }

    private Map steps() {
        [
            sh: { Object o ->
                Map m = o instanceof Map ? o : [script: o]
                ProcessBuilder b = new ProcessBuilder('sh', '-xe', '-c', m.script as String).redirectErrorStream(true).inheritIO()
                b.environment().putAll(env)
                int status = b.start().waitFor()
                if (m.returnStatus) { return status }
                if (status != 0) { throw new Failed("script returned exit code $status") }
            },
            script: { Closure c -> c.delegate = new Words(steps()); c.resolveStrategy = Closure.DELEGATE_FIRST; c() },
            echo: { String s -> println s },
            error: { Object s -> throw new Failed(s as String) },
            unstable: { Object s -> result = 'UNSTABLE'; println s },
            junit: { Map m -> assert m.keySet() - ['testResults', 'allowEmptyResults', 'skipMarkingBuildUnstable'] == [] as Set; println "JUNIT ${new File(m.testResults).exists()}" },
            archiveArtifacts: { Map m -> assert m.keySet() - ['artifacts', 'allowEmptyArchive', 'fingerprint'] == [] as Set; println "ARCHIVED ${(new File('reports').list() ?: []).sort()}" },
        ]
    }
}

class Words {
    Map words
    Map<String, String> assigned
    Words(Map words) { this.words = words }
    Object invokeMethod(String name, Object args) {
        Closure c = words[name]
        if (c == null) { throw new MissingMethodException(name, Words, args as Object[]) }
        c(*args)
    }
    void setProperty(String name, Object value) {
        if (name in ['words', 'assigned']) { this.@"$name" = value }
        else if (assigned == null) { throw new MissingPropertyException(name, Words) }
        else { assigned[name] = value as String }
    }
}

Pipeline p = new Pipeline()
args.drop(1).each { String pair -> p.given[pair.takeBefore('=')] = pair.drop(pair.indexOf('=') + 1) }
Binding binding = new Binding([pipeline: { Closure c -> p.run(c) }])
new GroovyShell(binding).evaluate(new File(args[0]))
println "RESULT ${p.result} ${p.seen}"
